// kubectl sends reviews as protobuf from 1.33 on, and does not fall back to JSON. Only these bodies are read; answers are JSON.
// The envelope is "k8s\0" and a runtime.Unknown, whose field 2 holds the object.

type Schema = { [field: number]: string | [name: string, schema: Schema] }

const namespaceOnly: Schema = { 1: 'namespace' }
const resourceAttributes: Schema = {
  1: 'namespace',
  2: 'verb',
  3: 'group',
  4: 'version',
  5: 'resource',
  6: 'subresource',
  7: 'name',
}
const accessReview: Schema = {
  1: ['resourceAttributes', resourceAttributes],
  2: ['nonResourceAttributes', { 1: 'path', 2: 'verb' }],
}
const schemas: Record<string, Schema> = {
  SelfSubjectAccessReview: { 2: ['spec', accessReview] },
  SelfSubjectRulesReview: { 2: ['spec', namespaceOnly] },
}

export const protobufType = 'application/vnd.kubernetes.protobuf'

/** The length-delimited fields of a message; others are skipped. */
function fields(message: Buffer): [number, Buffer][] {
  const found: [number, Buffer][] = []
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 0; at < message.length; shift += 7) {
      const byte = message[at++] as number
      value += (byte & 127) * 2 ** shift
      if (byte < 128) break
    }
    return value
  }
  while (at < message.length) {
    const key = varint()
    if ((key & 7) === 2) {
      const length = varint()
      found.push([key >> 3, message.subarray(at, at + length)])
      at += length
    } else if ((key & 7) === 0) varint()
    else at += (key & 7) === 1 ? 8 : 4
  }
  return found
}

function decode(message: Buffer, schema: Schema): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (const [number, bytes] of fields(message)) {
    const field = schema[number]
    if (typeof field === 'string') object[field] = bytes.toString()
    else if (field !== undefined) object[field[0]] = decode(bytes, field[1])
  }
  return object
}

export function decodeProtobuf(body: Buffer): unknown {
  if (body.subarray(0, 4).toString('latin1') !== 'k8s\0') return undefined
  const unknown = new Map(fields(body.subarray(4)))
  const { apiVersion, kind } = decode(unknown.get(1) ?? Buffer.alloc(0), { 1: 'apiVersion', 2: 'kind' })
  return { apiVersion, kind, ...decode(unknown.get(2) ?? Buffer.alloc(0), schemas[String(kind)] ?? {}) }
}
