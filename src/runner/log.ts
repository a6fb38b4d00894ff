import * as core from '@actions/core'

/** The job log. One group a phase, one line an event. */
export interface Log {
  info(line: string): void
  /** an annotation of the run, too */
  warning(text: string): void
  /** an annotation, and the step fails */
  failure(text: string): void
  group<T>(title: string, body: () => Promise<T>): Promise<T>
}

export const jobLog: Log = {
  info: (line) => core.info(plain(line)),
  warning: (text) => core.warning(plain(text)),
  failure: (text) => core.setFailed(plain(text)),
  group: (title, body) => core.group(plain(title), body),
}

/**
 * The one escaper between foreign text (names, a server's words, a tool's) and the log: the runner obeys `::command::` at the start of a
 * line and `##[command]` anywhere in one (actions/runner, ActionCommand.cs), and a terminal obeys control characters.
 */
export function plain(text: string): string {
  return text
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, ' ')
    .replace(/##\[/g, '## [')
    .replace(/^(\s*)::/gm, '$1: :')
}
