import { joinLines, maxTextChars, plain } from '../common/remote-text.ts'
import { issueCommand } from './workflow-commands.ts'

/** The job log: one group for each phase, one line for each event. */
export interface Log {
  /** one line, whatever the text has in it */
  info(line: string): void
  /** one line, also an annotation of the run */
  notice(text: string): void
  /** the same, as a warning */
  warning(text: string): void
  /** an annotation, and the step fails; may have several lines: problems and their commands */
  failure(text: string): void
  group<T>(title: string, body: () => Promise<T>): Promise<T>
}

export const jobLog: Log = {
  info: (line) => void process.stdout.write(`${plainLine(line)}\n`),
  notice: (text) => issueCommand('notice', plainLine(text)),
  warning: (text) => issueCommand('warning', plainLine(text)),
  failure: (text) => {
    process.exitCode = 1
    issueCommand('error', plain(text))
  },
  group: async (title, body) => {
    issueCommand('group', plainLine(title))
    try {
      return await body()
    } finally {
      issueCommand('endgroup')
    }
  },
}

/** `plain` for a text that must stay one line: a name with a line break must not make a line that looks like one of the action. */
function plainLine(text: string): string {
  return plain(joinLines(text.slice(0, maxTextChars)))
}
