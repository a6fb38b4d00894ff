import type { ConnectionEnds } from './connection-ends.ts'
import type { HttpHead } from './http1-head.ts'
import type { Http1Events } from './http1-parser.ts'
import { type HttpExchange, HttpServers } from './http-servers.ts'
import { TextCounts } from './text-counts.ts'

/** Requests of one connection that wait for an answer: no client pipelines more. */
const maxWaitingCount = 1000
const listedHostsCount = 10

/** The counters of `http`, named and shaped as the ground truth of the test captures. */
export interface HttpCounters {
  methods: Record<string, number>
  status: Record<string, number>
  hosts: Record<string, number>
  http2_status: Record<string, number>
  http2_frames: Record<string, number>
  grpc_status: Record<string, number>
  /** always empty: nothing is decrypted */
  decrypted_or_over_tls: Record<string, number>
}

/** HTTP of a whole capture. */
export class HttpTracker {
  readonly servers = new HttpServers()
  readonly methods = new TextCounts()
  readonly statuses = new TextCounts()
  readonly hosts = new TextCounts()
  readonly http2Statuses = new TextCounts()
  readonly http2Frames = new TextCounts()
  readonly grpcStatuses = new TextCounts()
  /** RST_STREAM and GOAWAY by error name, NO_ERROR included */
  readonly streamResets = new TextCounts()
  readonly goAways = new TextCounts()
  /** connections of which one direction was captured: which requests have an answer is not known */
  oneSidedConnections = 0

  counters(): HttpCounters {
    return {
      methods: this.methods.toRecord(),
      status: this.statuses.toRecord(),
      hosts: this.hosts.toRecord(listedHostsCount),
      http2_status: this.http2Statuses.toRecord(),
      http2_frames: this.http2Frames.toRecord(),
      grpc_status: this.grpcStatuses.toRecord(),
      decrypted_or_over_tls: {},
    }
  }
}

interface WaitingRequest {
  readonly head: HttpHead
  /** of the last byte, or of the head while the body is not complete */
  endTimeNs: number
}

/** The HTTP/1 exchanges of one connection: answers belong to the requests in their order. */
export class Http1Conversation implements Http1Events {
  readonly #tracker: HttpTracker
  readonly #endsOf: () => ConnectionEnds
  #ends: ConnectionEnds | undefined
  #waiting: WaitingRequest[] = []

  /** `endsOf` is asked once, when the first exchange is known */
  constructor(tracker: HttpTracker, endsOf: () => ConnectionEnds) {
    this.#tracker = tracker
    this.#endsOf = endsOf
  }

  onHead(head: HttpHead): 'body' | 'no body' | 'another protocol' {
    return head.isRequest ? this.#onRequest(head) : this.#onResponse(head)
  }

  onComplete(head: HttpHead, timeNs: number, isCounted: boolean): void {
    const waiting = this.#waiting.find((request) => request.head === head)
    if (waiting !== undefined) waiting.endTimeNs = timeNs
    if (isCounted) this.#count(head)
  }

  /** The connection is over or forgotten. `hasNoAnswer`: whether a request that waits since this time (ns) has no answer, or cannot be known. */
  finish(hasNoAnswer: (sinceNs: number) => boolean): void {
    for (const request of this.#waiting) if (hasNoAnswer(request.endTimeNs)) this.#onExchange(request, undefined)
    this.#waiting = []
  }

  #count(head: HttpHead): void {
    const tracker = this.#tracker
    const { frameNumber } = head
    if (head.host !== undefined && head.host !== '') tracker.hosts.add(head.host, frameNumber)
    if (!head.isRequest) {
      if (head.status > 0) tracker.statuses.add(String(head.status), frameNumber)
      return
    }
    tracker.methods.add(head.method, frameNumber)
  }

  #onRequest(head: HttpHead): 'body' | 'another protocol' {
    if (this.#waiting.length >= maxWaitingCount) this.#onExchange(this.#waiting.shift()!, undefined)
    this.#waiting.push({ head, endTimeNs: head.startTimeNs })
    return isRpcTunnel(head) ? 'another protocol' : 'body'
  }

  #onResponse(head: HttpHead): 'body' | 'no body' | 'another protocol' {
    const { status } = head
    // 100 and 103 precede the real answer.
    if (status >= 100 && status < 200 && status !== 101) return 'no body'
    const request = this.#waiting.shift()
    if (request !== undefined) this.#onExchange(request, head)
    const method = request?.head.method
    if (status === 101 || (method === 'CONNECT' && status >= 200 && status < 300)) return 'another protocol'
    return method === 'HEAD' || status === 204 || status === 304 ? 'no body' : 'body'
  }

  #onExchange({ head, endTimeNs }: WaitingRequest, response: HttpHead | undefined): void {
    this.#ends ??= this.#endsOf()
    const exchange: HttpExchange = {
      method: head.method,
      path: head.path,
      host: head.host,
      status: response?.status ?? 0,
      grpcStatus: undefined,
      requestFrame: head.frameNumber,
      responseFrame: response?.frameNumber ?? 0,
      timeNs: head.startTimeNs,
      firstByteNs: response === undefined ? undefined : Math.max(response.startTimeNs - endTimeNs, 0),
    }
    this.#tracker.servers.onExchange(this.#ends, exchange)
  }
}

/** RPC over HTTP announces a length that means nothing, 1 GiB: other data follows on the connection (MS-RPCH). */
function isRpcTunnel({ method, contentLength = 0 }: HttpHead): boolean {
  return (method === 'RPC_IN_DATA' || method === 'RPC_OUT_DATA') && contentLength >= 128 * 1024
}
