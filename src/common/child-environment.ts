import { proxyEnvironment } from './proxy-environment.ts'

/**
 * The environment of a program that this action starts: without the inputs of the step (kubeconfig, token) and without the tokens of the job
 * (ACTIONS_RUNTIME_TOKEN, ACTIONS_ID_TOKEN_REQUEST_TOKEN) and the files of its commands (GITHUB_OUTPUT, GITHUB_ENV), except for the variables that the user allows. A plugin of a kubeconfig is code of
 * the author of the kubeconfig. This prevents leaks by accident: a program of the same user can read the environment of its parent in /proc.
 */
export function childEnvironment(env: NodeJS.ProcessEnv, allowed: readonly string[] = []): NodeJS.ProcessEnv {
  const variables = Object.entries(proxyEnvironment(env))
  return Object.fromEntries(variables.filter(([name]) => !isWithheldVariable(name) || allowed.includes(name)))
}

/** Whether a program lacks the variable of this name where it is not allowed. Names are compared without their case, as on Windows. */
export function isWithheldVariable(name: string): boolean {
  return /^((INPUT|ACTIONS|STATE)_|GITHUB_(ENV|PATH|OUTPUT|STATE|STEP_SUMMARY)$)/i.test(name)
}
