/** Reads big-endian numbers. The caller has checked that the bytes are there: outside of the buffer, the result is meaningless. */
export function u16(buffer: Uint8Array, at: number): number {
  return (buffer[at]! << 8) | buffer[at + 1]!
}

export function u24(buffer: Uint8Array, at: number): number {
  return (buffer[at]! << 16) | (buffer[at + 1]! << 8) | buffer[at + 2]!
}

/** Unsigned. */
export function u32(buffer: Uint8Array, at: number): number {
  return ((buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!) >>> 0
}

/** As `u32`, as a signed number: V8 keeps it without a heap object. */
export function i32(buffer: Uint8Array, at: number): number {
  return (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!
}
