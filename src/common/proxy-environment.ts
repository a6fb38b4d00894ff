/** The variables of `process.env` that name another proxy while a library runs (library-proxy.ts), with their values from before. */
let replaced: NodeJS.ProcessEnv | undefined

export function setReplacedVariables(values: NodeJS.ProcessEnv | undefined): void {
  replaced = values
}

/**
 * The environment with the proxies of the user. What this action connects or starts while a library runs must not use the relay of that library, which
 * ends with it, and errors must not name it.
 */
export function proxyEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return env === process.env && replaced !== undefined ? { ...env, ...replaced } : env
}
