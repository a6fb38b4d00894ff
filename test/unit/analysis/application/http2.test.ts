import { connect, createServer, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { connect as connectTcp, createServer as createTcpServer } from 'node:net'
import { once } from 'node:events'
import { client, type Piece, RecordedConnection, server } from './recorded-stream.ts'

/** What a real client and a real server said to each other in clear text. */
let pieces: Piece[]

beforeAll(async () => {
  pieces = []
  const grpc = createServer()
  grpc.on('stream', (stream, headers: IncomingHttpHeaders & { ':path'?: string }) => {
    // A reset of the client ends the stream with an error here, too.
    stream.on('error', () => undefined)
    const path = headers[':path'] ?? ''
    if (path === '/shop.Cart/Get') {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '14', 'grpc-message': 'no backend' }))
      stream.end(Buffer.alloc(40_000))
    } else if (path === '/only-trailers') {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '7' }, { endStream: true })
    } else if (path.startsWith('/missing')) {
      stream.respond({ ':status': 404 }, { endStream: true })
    }
  })
  await once(grpc.listen(0, '127.0.0.1'), 'listening')
  const target = (grpc.address() as AddressInfo).port
  const recorder = createTcpServer((socket) => {
    const upstream = connectTcp(target, '127.0.0.1')
    socket.on('data', (bytes) => {
      pieces.push({ direction: client, bytes })
      upstream.write(bytes)
    })
    upstream.on('data', (bytes) => {
      pieces.push({ direction: server, bytes })
      socket.write(bytes)
    })
    for (const end of [socket, upstream]) end.on('error', () => undefined)
    socket.on('close', () => upstream.destroy())
    upstream.on('close', () => socket.destroy())
  })
  await once(recorder.listen(0, '127.0.0.1'), 'listening')
  const session = connect(`http://127.0.0.1:${(recorder.address() as AddressInfo).port}`)
  await ask(session, '/shop.Cart/Get')
  await ask(session, '/only-trailers')
  for (let count = 0; count < 3; count++) await ask(session, '/missing?secret=1')
  const cancelled = session.request({ ':method': 'POST', ':path': '/slow' })
  cancelled.on('error', () => undefined)
  cancelled.close(8)
  await once(cancelled, 'close')
  await new Promise<void>((resolve) => session.close(resolve))
  recorder.close()
  grpc.close()
})

async function ask(session: ClientHttp2Session, path: string): Promise<void> {
  const stream = session.request({ ':method': 'POST', ':path': path, 'x-long': 'a'.repeat(300) })
  stream.end(Buffer.alloc(100))
  stream.resume()
  await once(stream, 'end')
}

describe('HTTP/2 and gRPC in clear text', () => {
  it.each([1, 3, 9, 500, 65_536])(
    'reads what a real client and server say, in segments of %d bytes',
    (maxSegmentBytes) => {
      const connection = new RecordedConnection()
      connection.play(pieces, maxSegmentBytes)
      connection.conversation.finish('end of capture', 0)
      const { http2_status, grpc_status, http2_frames } = connection.http.counters()
      expect(http2_status).toEqual({ 200: 2, 404: 3 })
      expect(grpc_status).toEqual({ 14: 1, 7: 1 })
      // Five requests and five answers, the trailers of one of them, and the request that is cancelled.
      expect(http2_frames).toMatchObject({ HEADERS: 12, RST_STREAM: 1 })
      expect(connection.http.streamResets.toRecord()).toEqual({ CANCEL: 1 })
      const [found] = connection.http.servers.all()
      expect(found?.failures.get(404)?.requests.toRecord()).toEqual({ 'POST /missing': 3 })
      expect(found?.grpcFailures.get(14)?.requests.toRecord()).toEqual({ 'POST /shop.Cart/Get': 1 })
      expect(connection.budget.heldBytes).toBe(0)
    },
  )

  it('reports only what is certain where the start of the connection is missing', () => {
    const connection = new RecordedConnection()
    let seenFrames = 0
    const offsets = [0, 0]
    // Without the client's first requests: the fields of the later ones refer to them.
    for (const { direction, bytes } of pieces) {
      if (direction === server || seenFrames++ > 3) connection.segment(direction, offsets[direction]!, bytes)
      offsets[direction]! += bytes.length
    }
    connection.conversation.finish('end of capture', 0)
    const paths = connection.http.servers.all().flatMap(({ failures }) => [...failures.values()])
    for (const { requests } of paths) {
      for (const request of Object.keys(requests.toRecord())) expect(['POST /missing', ' ', 'POST ']).toContain(request)
    }
    expect(connection.http.counters().http2_status).toEqual({ 200: 2, 404: 3 })
  })
})
