import { stripTypeScriptTypes } from 'node:module'

/** jest's transform: Node's own type stripping, so that the tests read a file as `node file.ts` does. Types are checked by `npm run types`. */
export default { process: (source) => ({ code: stripTypeScriptTypes(source) }) }
