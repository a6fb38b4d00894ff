import { existsSync } from 'node:fs'
import { ConfigurationError, messageOf } from '../../common/errors.ts'
import { toOneLine } from '../../common/remote-text.ts'

/** A plugin, for errors. */
export interface PluginName {
  readonly command: string
  /** the kubeconfig's, of any length */
  readonly installHint?: string | undefined
  /** how to install it, in whole sentences, where the action knows the plugin */
  readonly knownFix?: string | undefined
}

/** The error of a plugin that could not be started. `command`: its path, or its name where PATH is searched. */
export function pluginNotStarted(
  plugin: PluginName,
  command: string,
  error: NodeJS.ErrnoException,
): ConfigurationError {
  if (error.code !== 'ENOENT') return pluginFailed(plugin, messageOf(error))
  const notFound = (cause: string, fix: string): ConfigurationError =>
    new ConfigurationError({
      code: 'E_EXEC_PLUGIN_NOT_FOUND',
      input: 'kubeconfig',
      problem: `its user needs the exec plugin ${shownCommand(plugin.command)}, ${cause}`,
      fix,
    })
  if (existsSync(command)) {
    return notFound(
      'which exists, but the interpreter in its first line (#!) does not',
      'Install the interpreter in an earlier step.',
    )
  }
  const cause = command.includes('/')
    ? 'but there is no such file on this runner'
    : "which is not on this runner's PATH"
  return notFound(cause, howToInstall(plugin))
}

/** The error of a plugin that ran without returning credentials. */
export function pluginFailed(plugin: PluginName, cause: string): ConfigurationError {
  return new ConfigurationError({
    code: 'E_EXEC_PLUGIN_FAILED',
    input: 'kubeconfig',
    problem: `the exec plugin \`${plugin.command}\` returned no credentials`,
    message: cause.slice(0, 500),
    fix: 'Run it in an earlier step to see why.',
  })
}

function howToInstall({ installHint, knownFix }: PluginName): string {
  const hint = toOneLine(installHint ?? '', 500)
  if (hint === '') return knownFix ?? 'Install it in an earlier step, or give a kubeconfig with a token.'
  return knownFix === undefined ? hint : `${knownFix} The kubeconfig says: ${hint}`
}

/** A command with a blank or a quote has its arguments in it, which may be secrets. */
function shownCommand(command: string): string {
  return /^[\w./@+:\\-]{1,200}$/.test(command)
    ? `\`${command}\``
    : '(its command is not shown: arguments belong in `args`)'
}
