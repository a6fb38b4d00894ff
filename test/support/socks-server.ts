import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A SOCKS5 proxy on loopback (RFC 1928, RFC 1929) that connects every request to one server. */
export interface SocksServer {
  readonly port: number
  /** host:port of each connection that was requested */
  readonly asked: readonly string[]
  /** user:password of each login */
  readonly logins: readonly string[]
  stop(): Promise<void>
}

/** `destination`: the port on loopback that every connection goes to; undefined: the requested one. */
export async function startSocksServer(destination?: number): Promise<SocksServer> {
  const asked: string[] = []
  const logins: string[] = []
  const sockets = new Set<Socket>()
  const keep = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
  }
  const server = createServer((socket) => {
    keep(socket)
    let state: 'greeting' | 'login' | 'request' | 'open' = 'greeting'
    let buffer = Buffer.alloc(0)
    socket.on('data', function onData(chunk: Buffer) {
      buffer = Buffer.concat([buffer, chunk])
      if (state === 'greeting' && buffer.length >= 2 && buffer.length >= 2 + (buffer[1] ?? 0)) {
        const methods = buffer.subarray(2, 2 + (buffer[1] ?? 0))
        buffer = buffer.subarray(2 + (buffer[1] ?? 0))
        const withLogin = methods.includes(2)
        state = withLogin ? 'login' : 'request'
        socket.write(Buffer.from([5, withLogin ? 2 : 0]))
      }
      if (state === 'login' && buffer.length >= 3) {
        const userLength = buffer[1] ?? 0
        const passwordLength = buffer[2 + userLength] ?? 0
        const endAt = 3 + userLength + passwordLength
        if (buffer.length < endAt) return
        logins.push(`${buffer.toString('utf8', 2, 2 + userLength)}:${buffer.toString('utf8', 3 + userLength, endAt)}`)
        buffer = buffer.subarray(endAt)
        state = 'request'
        socket.write(Buffer.from([1, 0]))
      }
      if (state === 'request' && buffer.length >= 10) {
        const { host, portAt } = readAddress(buffer)
        if (buffer.length < portAt + 2) return
        const port = buffer.readUInt16BE(portAt)
        asked.push(`${host}:${String(port)}`)
        const rest = buffer.subarray(portAt + 2)
        state = 'open'
        socket.off('data', onData)
        const onward = connect(destination ?? port, '127.0.0.1', () => {
          socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]))
          onward.write(rest)
          onward.pipe(socket).pipe(onward)
        })
        keep(onward)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    logins,
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function readAddress(request: Buffer): { readonly host: string; readonly portAt: number } {
  const kind = request[3]
  if (kind === 1) return { host: [...request.subarray(4, 8)].join('.'), portAt: 8 }
  if (kind === 4) return { host: request.toString('hex', 4, 20), portAt: 20 }
  const length = request[4] ?? 0
  return { host: request.toString('utf8', 5, 5 + length), portAt: 5 + length }
}
