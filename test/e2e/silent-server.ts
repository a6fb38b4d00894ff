import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'

export interface SilentServer {
  readonly port: number
  close(): void
}

/**
 * Accepts connections and never responds, so that a pull from it never ends. Its connections must be closed: the kubelet pulls one image after the
 * other, and one pull that hangs holds those of all later tests.
 */
export async function startSilentServer(): Promise<SilentServer> {
  const sockets: Socket[] = []
  let isClosed = false
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => undefined))
    // containerd may have connected in the moment of the close; a socket that remains keeps Jest running.
    if (isClosed) socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      isClosed = true
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
