/**
 * The Huffman code of HPACK (RFC 7541, appendix B), as bits:symbols. It is canonical: codes of one length are consecutive numbers in the
 * order of their symbols, so the lengths are enough.
 */
const symbolsByBits = `
5:48 49 50 97 99 101 105 111 115 116
6:32 37 45 46 47 51 52 53 54 55 56 57 61 65 95 98 100 102 103 104 108 109 110 112 114 117
7:58 66 67 68 69 70 71 72 73 74 75 76 77 78 79 80 81 82 83 84 85 86 87 89 106 107 113 118 119 120 121 122
8:38 42 44 59 88 90
10:33 34 40 41 63
11:39 43 124
12:35 62
13:0 36 64 91 93 126
14:94 125
15:60 96 123
19:92 195 208
20:128 130 131 162 184 194 224 226
21:153 161 167 172 176 177 179 209 216 217 227 229 230
22:129 132 133 134 136 146 154 156 160 163 164 169 170 173 178 181 185 186 187 189 190 196 198 228 232 233
23:1 135 137 138 139 140 141 143 147 149 150 151 152 155 157 158 165 166 168 174 175 180 182 183 188 191 197 231 239
24:9 142 144 145 148 159 171 206 215 225 236 237
25:199 207 234 235
26:192 193 200 201 202 205 210 213 218 219 238 240 242 243 255
27:203 204 211 212 214 221 222 223 241 244 245 246 247 248 250 251 252 253 254
28:2 3 4 5 6 7 8 11 12 14 15 16 17 18 19 20 21 23 24 25 26 27 28 29 30 31 127 220 249
30:10 13 22 256`

const endOfString = 256
/** Two entries a node: the node after a 0 and after a 1, or a symbol as -1 - symbol. 0: no such code. */
const tree = buildTree()

function buildTree(): Int16Array {
  const nodes = new Int16Array(2 * 512)
  let nodeCount = 1
  let code = 0
  let codeBits = 0
  for (const line of symbolsByBits.trim().split('\n')) {
    const [length = '', symbols = ''] = line.split(':')
    for (const symbol of symbols.split(' ')) {
      code = code << (Number(length) - codeBits)
      codeBits = Number(length)
      let node = 0
      for (let bit = codeBits - 1; bit > 0; bit--) {
        const slot = 2 * node + ((code >>> bit) & 1)
        if (nodes[slot] === 0) nodes[slot] = nodeCount++
        node = nodes[slot]!
      }
      nodes[2 * node + (code & 1)] = -1 - Number(symbol)
      code++
    }
  }
  return nodes
}

/** Decodes the bytes from `start` to `end`, at most `maxChars` of the result are kept. Undefined where they are not a Huffman string. */
export function decodeHuffman(
  bytes: Uint8Array,
  start: number,
  end: number,
  maxChars: number,
): { text: string; length: number } | undefined {
  let text = ''
  let length = 0
  let node = 0
  let bitsSinceSymbol = 0
  let isAllOnes = true
  for (let at = start; at < end; at++) {
    for (let bit = 7; bit >= 0; bit--) {
      const value = (bytes[at]! >> bit) & 1
      bitsSinceSymbol++
      if (value === 0) isAllOnes = false
      const next = tree[2 * node + value]!
      if (next === 0) return undefined
      if (next > 0) {
        node = next
        continue
      }
      const symbol = -1 - next
      if (symbol === endOfString) return undefined
      if (length++ < maxChars) text += String.fromCharCode(symbol)
      node = 0
      bitsSinceSymbol = 0
      isAllOnes = true
    }
  }
  // RFC 7541, 5.2: what fills the last byte is the beginning of the end-of-string code, less than a byte of ones.
  return bitsSinceSymbol < 8 && isAllOnes ? { text, length } : undefined
}
