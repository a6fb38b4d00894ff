import type { Problem } from '../common/errors.ts'
import type { DeliveryInputs, Severity } from '../inputs/delivery.ts'
import type { CaptureReport } from '../report/report.ts'
import { subjectText } from '../report/wording.ts'

type Severities = Pick<DeliveryInputs, 'ifIncomplete' | 'ifEmpty' | 'ifFinding'>

/** What the inputs say of the verdict of a capture. */
export function verdictSeverity(
  { verdict }: Pick<CaptureReport, 'verdict'>,
  { ifIncomplete, ifEmpty }: Omit<Severities, 'ifFinding'>,
): Severity {
  if (verdict === 'complete') return 'ignore'
  return verdict === 'empty' ? ifEmpty : ifIncomplete
}

/** What the inputs say of the diagnosis of a capture. */
export function findingSeverity(
  { diagnosis: report }: Pick<CaptureReport, 'diagnosis'>,
  { ifFinding }: Pick<Severities, 'ifFinding'>,
): Severity {
  if (report.kind === 'failed' || ifFinding === 'ignore') return 'ignore'
  const { severity } = report.diagnosis
  if (severity === 'error') return ifFinding
  return severity === 'warning' ? 'warn' : 'ignore'
}

/** The report with the problems that fail the step, as the inputs say. `sentence`: of its diagnosis, as it may be shown */
export function withProblems(
  report: CaptureReport,
  severities: Severities,
  sentence: string | undefined,
): CaptureReport {
  return {
    ...report,
    verdictProblem: verdictSeverity(report, severities) === 'error' ? verdictProblem(report) : undefined,
    findingProblem: findingSeverity(report, severities) === 'error' ? findingProblem(report, sentence) : undefined,
  }
}

/** `pod web-1 in shop is partial: 3 packets were dropped`. */
export function verdictClause(report: CaptureReport): string {
  return `${subjectText(report)} is ${report.verdict}: ${report.verdictReason}`
}

function verdictProblem(report: CaptureReport): Problem {
  const problem = `the capture of ${verdictClause(report)}`
  if (report.verdict === 'empty') {
    return {
      code: 'E_CAPTURE_EMPTY',
      input: 'if-empty',
      problem,
      fix: 'Check the `filter` and the `interface`, and that there was traffic. Set `if-empty: warn` to keep the step successful.',
    }
  }
  return {
    code: 'E_CAPTURE_INCOMPLETE',
    input: 'if-incomplete',
    problem,
    fix: 'Set `if-incomplete: warn` to keep the step successful.',
    docs: 'docs/troubleshooting.md#reasons-of-a-partial-capture',
  }
}

function findingProblem(report: CaptureReport, sentence: string | undefined): Problem {
  return {
    code: 'E_FINDING',
    input: 'if-finding',
    problem: `the diagnosis of ${subjectText(report)} has a finding of the severity error${sentence === undefined ? '' : `: ${sentence}`}`,
    fix: 'The job summary has the evidence. Set `if-finding: warn` to keep the step successful.',
  }
}
