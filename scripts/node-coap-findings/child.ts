/** Runs one finding and tells the parent process what it saw. Started by scripts/node-coap-findings.ts. */
import { findings } from './findings.ts';

const finding = findings[process.argv[2] ?? ''];
if (!finding || !process.send) throw new Error('to be started by scripts/node-coap-findings.ts');
const evidence = await finding.reproduce();
process.send(evidence, () => process.exit(0));
