import { CaptureDiagnosis } from '../analysis/capture-diagnosis.ts'
import { messageOf } from '../common/errors.ts'
import { plain, toOneLine } from '../common/remote-text.ts'
import { readCaptureFile } from '../pcap/capture-file.ts'
import type { CaptureEnd } from '../pcap/capture-format.ts'
import { diagnosisMarkdown } from '../report/diagnosis-markdown.ts'
import { diagnosisText } from '../report/diagnosis-text.ts'
import { findingsJson } from '../report/findings-json.ts'

const usage = `Usage: npm run --silent analyze -- [--markdown | --json | --counters] [--key-like-tshark] FILE...
  Prints a diagnosis of each file: what is wrong and who causes it, with the evidence.
  --markdown          print it as Markdown
  --json              print it as JSON (docs/findings.schema.json), one file a line
  --counters          print a JSON object with counters for each file, one a line
  --key-like-tshark   tell connections apart by addresses and ports only
  FILE                pcap or pcapng, also compressed with gzip or zstd; - is standard input`

const formats = ['--markdown', '--json', '--counters']

/** Returns the exit code: 0, 1 where a file cannot be read at all, 2 where the arguments are wrong. */
export async function analyzeCommand(args: readonly string[]): Promise<number> {
  const options = args.filter((arg) => arg.startsWith('--'))
  const files = args.filter((arg) => !arg.startsWith('--'))
  const unknown = options.find((option) => ![...formats, '--key-like-tshark'].includes(option))
  const chosen = formats.filter((format) => options.includes(format))
  if (unknown !== undefined || files.length === 0 || chosen.length > 1) {
    console.error(unknown === undefined ? usage : `Unknown option ${unknown}\n${usage}`)
    return 2
  }
  const keyLikeTshark = options.includes('--key-like-tshark')
  let exitCode = 0
  for (const [index, file] of files.entries()) {
    const report = await reportOn(file, { format: chosen[0], keyLikeTshark })
    if (report === undefined) exitCode = 1
    else console.log(titled(report, { file, format: chosen[0], index, count: files.length }))
  }
  return exitCode
}

interface ReportOptions {
  /** undefined: text */
  readonly format: string | undefined
  readonly keyLikeTshark: boolean
}

/** Undefined: the file is no capture or cannot be read, which was printed. */
async function reportOn(file: string, { format, keyLikeTshark }: ReportOptions): Promise<string | undefined> {
  const analysis = new CaptureDiagnosis({ keyLikeTshark })
  try {
    const end = await readCaptureFile(file, analysis)
    if (end.format === undefined) {
      console.error(`${file} is not a capture: ${end.broken}`)
      return undefined
    }
    printDamage(file, end)
    if (format === '--counters') return JSON.stringify(analysis.counters(end))
    const diagnosis = analysis.diagnose(end)
    if (format === '--json') return findingsJson(diagnosis, file)
    return format === '--markdown' ? diagnosisMarkdown(diagnosis) : diagnosisText(diagnosis)
  } catch (error) {
    console.error(`${file} cannot be read: ${messageOf(error)}`)
    return undefined
  }
}

function printDamage(file: string, { broken, isCutShort, packets }: CaptureEnd): void {
  if (broken !== undefined) console.error(`${file} is damaged: ${broken}. The ${packets} packets before that were read`)
  if (isCutShort) console.error(`${file} ends inside a packet. The ${packets} packets before that were read`)
}

/** Of several texts, each begins with the name of its file. */
function titled(
  report: string,
  { file, format, index, count }: { file: string; format: string | undefined; index: number; count: number },
): string {
  if (count === 1 || format !== undefined) return report
  return `${index === 0 ? '' : '\n'}${plain(toOneLine(file))}\n${report}`
}
