import { grpcStatusName } from '../application/grpc-status.ts'
import type { HttpFailures, HttpServer } from '../application/http-servers.ts'
import type { HttpTracker } from '../application/http-tracker.ts'
import { type CaptureClock, evidenceOf } from './evidence.ts'
import type { Finding } from './finding.ts'
import { counted, durationText, framesFilter, listed, serverFilter, serverText } from './wording.ts'

/** A part of the requests that is worth a finding when a client's own requests are refused: 404 and 401 are normal in small numbers. */
const clientErrorShare = 0.1
const minClientErrorCount = 5

/** F13: errors of HTTP and gRPC in clear text. F9: servers that think long. */
export function httpFindings({ servers }: HttpTracker, clock: CaptureClock): Finding[] {
  return servers.all().flatMap((server) => serverFindings(server, clock))
}

function serverFindings(server: HttpServer, clock: CaptureClock): Finding[] {
  const findings: Finding[] = []
  for (const [status, failures] of server.failures) {
    const isServerError = status >= 500 || status === 429
    const share = failures.count / server.requestCount
    const isFrequent = failures.count >= minClientErrorCount && share >= clientErrorShare
    if (isServerError || isFrequent) findings.push(statusFinding(server, status, failures, clock))
  }
  for (const [status, failures] of server.grpcFailures) findings.push(grpcFinding(server, status, failures, clock))
  if (server.unanswered.count > 0) findings.push(unansweredFinding(server, clock))
  if (server.slow.count > 0) findings.push(slowFinding(server, clock))
  return findings
}

function statusFinding(server: HttpServer, status: number, failures: HttpFailures, clock: CaptureClock): Finding {
  const isServerError = status >= 500 || status === 429
  return {
    id: isServerError ? 'http-server-errors' : 'http-client-errors',
    severity: isServerError ? 'error' : 'warning',
    title: `${serverText(server.server, failures.backends)} answered ${failures.count} of ${counted(server.requestCount, 'request')} with status ${status} (${topRequests(failures)})`,
    count: failures.count,
    evidence: [evidenceOf(failures, server.ends, clock)],
    displayFilter: `(http.response.code == ${status} || http2.headers.status == "${status}") && ${serverFilter(server.ends.server)}`,
    likelyCauses: statusCauses(status),
    nextSteps: [
      'The logs of the server’s pods at these times',
      'kubectl get pods,endpointslices of its service: ready endpoints and restarts',
      'What the server itself calls: look for errors of its peers',
    ],
    facts: { status, requests: server.requestCount, answers: server.responseCount },
  }
}

function statusCauses(status: number): string[] {
  if (status === 503) {
    return [
      'The service has no ready endpoint, or a proxy has no healthy upstream',
      'The server sheds load or shuts down',
      'A circuit breaker or an outlier detection is open',
    ]
  }
  if (status === 502 || status === 504) {
    return [
      status === 504
        ? 'The server behind the proxy does not answer in time'
        : 'The server behind the proxy closes or resets the connection',
      'The pod behind the proxy ended or is not ready',
      'Port or protocol of the proxy’s upstream is wrong',
    ]
  }
  if (status === 429) return ['The server or a gateway limits the rate of this client']
  if (status >= 500) return ['An error in the server', 'A database or service that it needs fails']
  if (status === 401 || status === 403)
    return [
      'The token is missing, has expired, or lacks a right',
      'An authorization policy of the mesh refuses the client',
    ]
  return [
    'The path or the request of the client is wrong for this version of the server',
    'The routes of the ingress or gateway',
  ]
}

function grpcFinding(server: HttpServer, status: number, failures: HttpFailures, clock: CaptureClock): Finding {
  const isCallers = [1, 3, 5, 6, 7, 9, 11, 16].includes(status)
  return {
    id: 'grpc-errors',
    severity: isCallers ? 'warning' : 'error',
    title: `${serverText(server.server, failures.backends)} answered ${failures.count} of ${counted(server.requestCount, 'request')} with gRPC status ${grpcStatusName(status)} (${topRequests(failures)})`,
    count: failures.count,
    evidence: [evidenceOf(failures, server.ends, clock)],
    displayFilter: `grpc.status_code == ${status} && ${serverFilter(server.ends.server)}`,
    likelyCauses:
      status === 14
        ? ['The server has no ready endpoint behind it', 'The server ends or restarts']
        : status === 4
          ? ['The server, or a service that it calls, is slower than the client’s deadline']
          : ['An error in the server, or a request that it does not accept'],
    nextSteps: ['The logs of the server’s pods at these times', 'The header grpc-message of the answers in Wireshark'],
    facts: { grpc_status: status, requests: server.requestCount },
  }
}

function unansweredFinding(server: HttpServer, clock: CaptureClock): Finding {
  const { unanswered } = server
  return {
    id: 'http-unanswered',
    severity: 'warning',
    title: `${serverText(server.server, unanswered.backends)} did not answer ${unanswered.count} of ${counted(server.requestCount, 'request')} (${topRequests(unanswered)})`,
    count: unanswered.count,
    evidence: [evidenceOf(unanswered, server.ends, clock)],
    displayFilter: exchangeFilter(server, 'http.request && !http.response_in', unanswered.frames),
    likelyCauses: [
      'The server closed or reset the connection, or ended',
      'The server still works on the request at the end of the capture',
      'The answer was not captured',
    ],
    nextSteps: ['The logs and restarts of the server’s pods', 'How these connections end: look for resets'],
    facts: { requests: server.requestCount },
  }
}

function slowFinding(server: HttpServer, clock: CaptureClock): Finding {
  const { slow, firstByte, slowest } = server
  const frames = slowest.map(({ responseFrame }) => responseFrame)
  const { p50_ms: p50Ms = 0, p95_ms: p95Ms = 0, max_ms: maxMs = 0 } = firstByte.summary()
  return {
    id: 'http-slow',
    severity: 'warning',
    title: `${serverText(server.server, slow.backends)} took 1 s or more for the first byte of ${slow.count} of ${counted(server.responseCount, 'answer')}, the slowest ${durationText(maxMs)} (${topRequests(slow)})`,
    count: slow.count,
    evidence: [evidenceOf({ ...slow, frames }, server.ends, clock)],
    displayFilter: exchangeFilter(server, 'http.time >= 1', frames),
    likelyCauses: [
      'The server is overloaded, or throttled by its CPU limit',
      'A database or service that it needs is slow',
      'The server is starting, or collects garbage',
    ],
    nextSteps: [
      'CPU usage, limits and throttling of the server’s pods',
      'The same requests in the traces or logs of the server',
    ],
    facts: { p50_ms: p50Ms, p95_ms: p95Ms, max_ms: maxMs, answers: server.responseCount },
  }
}

/** Wireshark sees the requests of a connection that is redirected to a proxy and their answers in two connections, and matches none of them. */
function exchangeFilter({ ends: { server } }: HttpServer, condition: string, frames: readonly number[]): string {
  return server.redirectPort === undefined ? `${condition} && ${serverFilter(server)}` : framesFilter(frames)
}

function topRequests({ requests }: HttpFailures): string {
  return listed(requests.top(10).map(([request]) => request.trim()))
}
