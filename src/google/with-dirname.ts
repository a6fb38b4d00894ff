/**
 * Loads a CommonJS library that reads `__dirname` while it is loaded, and needs it for nothing that is used here (google-gax
 * for files of gRPC, ssh2 for a module that it carries within): an ES module, which the bundle is, does not have it.
 */
export async function withDirname<T>(load: () => Promise<T>): Promise<T> {
  if ('__dirname' in globalThis) return load()
  Object.defineProperty(globalThis, '__dirname', { value: '/', configurable: true })
  try {
    return await load()
  } finally {
    Reflect.deleteProperty(globalThis, '__dirname')
  }
}
