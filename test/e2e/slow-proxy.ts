import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface SlowProxy {
  port: number
  stop(): Promise<void>
}

/** Forwards TCP connections to `target` and limits the bytes from `target` to `rate` per second over all connections. */
export async function startSlowProxy(target: URL, rate: number): Promise<SlowProxy> {
  const sockets = new Set<Socket>()
  let freeAt = performance.now()
  const server = createServer((client) => {
    const upstream = connect(Number(target.port || 443), target.hostname.replace(/^\[|\]$/g, ''))
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.pipe(upstream)
    upstream.on('data', (chunk: Buffer) => {
      freeAt = Math.max(freeAt, performance.now()) + (chunk.length / rate) * 1000
      const wait = freeAt - performance.now()
      const ready = client.write(chunk)
      if (ready && wait < 5) return // timers have no finer resolution
      upstream.pause()
      const resume = (): void => void setTimeout(() => upstream.resume(), Math.max(0, freeAt - performance.now()))
      if (ready) resume()
      else client.once('drain', resume)
    })
    upstream.on('end', () => client.end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}
