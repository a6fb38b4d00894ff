/** Processes a step's log as the runner does: executes workflow commands, masks secrets. */
export interface StepLog {
  /** One line as the process wrote it, from either stream. */
  line(raw: string): void
  annotate(level: Level, message: string): void
  /** The lines as a reader of the log sees them. */
  lines: string[]
  annotations: Annotation[]
  /** The titles of the groups, in order. */
  groups: string[]
}

export type Level = 'error' | 'warning' | 'notice'

export interface Annotation {
  level: Level
  message: string
  properties: Record<string, string>
}

/** The secrets of a job, for all of its steps. */
export interface Masks {
  add(secret: string): void
  apply(text: string): string
}

export function createMasks(): Masks {
  const secrets = new Set<string>()
  return {
    add(secret) {
      // Each line of a secret of several lines is a secret too.
      for (const part of [secret, ...secret.split(/\r?\n/)]) if (part.trim() !== '') secrets.add(part)
    },
    apply(text) {
      let masked = text
      for (const secret of [...secrets].sort((a, b) => b.length - a.length)) masked = masked.replaceAll(secret, '***')
      return masked
    },
  }
}

const ANNOTATIONS_PER_LEVEL = 10
const ANNOTATION_LENGTH = 4096

const COMMANDS = [
  ...['error', 'warning', 'notice', 'debug', 'group', 'endgroup', 'add-mask', 'stop-commands'],
  ...[
    'set-output',
    'save-state',
    'set-env',
    'add-path',
    'add-matcher',
    'remove-matcher',
    'echo',
    'internal-set-repo-path',
  ],
]

export function createStepLog(masks: Masks): StepLog {
  const lines: string[] = []
  const annotations: Annotation[] = []
  const groups: string[] = []
  let stopToken: string | undefined

  const say = (text: string): void => {
    lines.push(masks.apply(text))
  }

  const annotate = (level: Level, message: string, properties: Record<string, string> = {}): void => {
    if (annotations.filter((one) => one.level === level).length < ANNOTATIONS_PER_LEVEL) {
      annotations.push({ level, message: masks.apply(message).slice(0, ANNOTATION_LENGTH), properties })
    }
    say(`##[${level}]${message}`)
  }

  const obey = (name: string, properties: Record<string, string>, data: string): void => {
    switch (name) {
      case 'error':
      case 'warning':
      case 'notice':
        annotate(name, data, properties)
        return
      case 'group':
        groups.push(masks.apply(data))
        say(`##[group]${data}`)
        return
      case 'endgroup':
        say('##[endgroup]')
        return
      case 'add-mask':
        masks.add(data)
        say('::add-mask::***')
        return
      case 'stop-commands':
        stopToken = data.trim().toLowerCase()
        return
      case 'set-output':
      case 'save-state':
      case 'set-env':
      case 'add-path':
        annotate(
          'warning',
          `The \`${name}\` command is deprecated and will be disabled soon. Please upgrade to using Environment Files.`,
        )
        return
      default:
        // debug needs ACTIONS_STEP_DEBUG; matchers and echo have no effect here.
        return
    }
  }

  return {
    lines,
    annotations,
    groups,
    annotate,
    line(raw) {
      const command = parseCommand(raw, stopToken === undefined ? COMMANDS : [...COMMANDS, stopToken])
      if (stopToken !== undefined) {
        if (command?.name === stopToken) stopToken = undefined
        else say(raw)
      } else if (command === undefined) {
        say(raw)
      } else {
        obey(command.name, command.properties, command.data)
      }
    },
  }
}

interface Command {
  name: string
  properties: Record<string, string>
  data: string
}

/** `::name key=value::data` at the start of a line, or the older `##[name key=value]data` anywhere in one. */
function parseCommand(line: string, known: string[]): Command | undefined {
  const start = line.trimStart()
  const end = start.indexOf('::', 2)
  if (start.startsWith('::') && end !== -1) {
    const command = readCommand(start.slice(2, end), start.slice(end + 2), ',', known)
    if (command !== undefined) return command
  }
  const mark = line.indexOf('##[')
  const close = mark === -1 ? -1 : line.indexOf(']', mark)
  return close === -1 ? undefined : readCommand(line.slice(mark + 3, close), line.slice(close + 1), ';', known)
}

function readCommand(head: string, data: string, separator: string, known: string[]): Command | undefined {
  const [, name = '', rest = ''] = /^(\S*)\s*(.*)$/s.exec(head) ?? []
  if (!known.includes(name.toLowerCase())) return undefined
  const properties: Record<string, string> = {}
  for (const pair of rest.split(separator)) {
    const equals = pair.indexOf('=')
    if (equals > 0 && equals < pair.length - 1)
      properties[pair.slice(0, equals).trim()] = unescape(pair.slice(equals + 1))
  }
  return { name: name.toLowerCase(), properties, data: unescape(data) }
}

function unescape(text: string): string {
  return text
    .replaceAll('%0D', '\r')
    .replaceAll('%0A', '\n')
    .replaceAll('%3A', ':')
    .replaceAll('%2C', ',')
    .replaceAll('%25', '%')
}
