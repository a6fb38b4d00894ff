/** Where and when a message was seen. */
export interface DnsContext {
  /** number of the connection (UDP and TCP), DNS over HTTP/2 has the stream's number as `transaction` */
  connection: number
  transaction: number
  timeNs: number
  frameNumber: number
  /** the key of the address that the query was sent to, or the response came from; see `addressKey` */
  server: string
  client: string
  isTcp: boolean
}

/** A query, and whether it was answered. */
export interface DnsTransaction {
  readonly connection: number
  readonly name: string
  readonly questionType: number
  readonly frameNumber: number
  readonly timeNs: number
  readonly server: string
  readonly client: string
  isAnswered: boolean
  /** the query's records are inside the captured bytes: Wireshark cannot link a query that is cut */
  readonly isComplete: boolean
}
