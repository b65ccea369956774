import { configureGlobal } from 'fast-check';

/** A property runs again for every mutant that it reaches, so it stops early here, and always tries the same values. */
configureGlobal({ interruptAfterTimeLimit: 300, seed: 1 });
