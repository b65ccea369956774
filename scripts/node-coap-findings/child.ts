/** Runs one finding and sends its evidence to the parent process, scripts/node-coap-findings.ts. */
import { findings } from './findings.ts';

const finding = findings[process.argv[2] ?? ''];
if (!finding || !process.send) throw new Error('only scripts/node-coap-findings.ts can start this script');
const evidence = await finding.reproduce();
process.send(evidence, () => process.exit(0));
