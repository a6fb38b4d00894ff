import type { Request } from '../../inputs/request.ts'
import type { Job } from '../../runner/job.ts'
import type { CheckResult } from './check.ts'

/** Whether the capture can be delivered as the inputs say. Otherwise the upload would fail after the capture. */
export function checkDelivery({ upload }: Request, { artifactProblem }: Job): CheckResult {
  if (upload === 'none') return { findings: ['Upload: none, the file stays on the runner'], problems: [] }
  return { findings: [], problems: artifactProblem === undefined ? [] : [artifactProblem] }
}
