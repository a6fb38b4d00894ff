// The program in the pods of the deployment `checkout`: a small shop that sends requests to the other pod. HTTP on 8080 with some 503s, metrics on
// 9090, which a filter can exclude. Runs inside a pod as `node -e`, so it is plain JavaScript that needs no file.

const source = `
const http = require('node:http')
let served = 0
const pay = http.createServer((request, response) => {
  const failed = ++served % 9 === 0
  const body = JSON.stringify(failed ? { error: 'payment provider timed out' } : { paid: request.url.split('/').pop() })
  response.writeHead(failed ? 503 : 200, { 'Content-Type': 'application/json', 'Content-Length': body.length, Connection: 'close' }).end(body)
})
const metrics = http.createServer((request, response) => response.writeHead(200, { Connection: 'close' }).end('requests_total ' + served + '\\n'))
pay.listen(8080, '0.0.0.0')
metrics.listen(9090, '0.0.0.0')
let number = 0
const ask = (port, path) => http.get({ host: process.env.PEER, port, path, agent: false }, (r) => r.resume()).on('error', () => {})
if (process.env.PEER) {
  setInterval(() => ask(8080, '/pay/' + ++number), 100)
  setInterval(() => ask(9090, '/metrics'), 500)
}
process.on('SIGTERM', () => process.exit(0))
console.log('checkout listens on 8080, metrics on 9090')
`

const idle = 'trap "exit 0" TERM; while :; do sleep 3600 & wait; done'

/** Images are only names here; the file system is always the host's. This is the default command of an image. */
export function imageCommand(image: string): string[] {
  if (image.includes('/shop/')) return ['node', '-e', source]
  if (/pause|proxy|app/.test(image)) return ['sh', '-c', idle]
  return ['sh']
}

export type ImageTrait = 'missing' | 'stuck' | 'notools' | 'nonetraw'

export const hasTrait = (image: string, trait: ImageTrait): boolean => image.includes(trait)
