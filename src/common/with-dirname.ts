/**
 * Loads a CommonJS library that reads `__dirname` while it is loaded. The bundle is an ES module and has no `__dirname`, so a placeholder is
 * defined meanwhile. The value is not used: google-gax would look for gRPC files there, ssh2 for a module that it bundles.
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
