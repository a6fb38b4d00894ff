export const id = 978;
export const ids = [978];
export const modules = {

/***/ 30978:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

// ESM COMPAT FLAG
__webpack_require__.r(__webpack_exports__);

// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  CaptureDiagnosis: () => (/* binding */ CaptureDiagnosis)
});

;// CONCATENATED MODULE: ./src/analysis/decoded-packet.ts
const noBytes = Buffer.alloc(0);
/**
 * The packet that every tracker of the analysis gets.
 *
 * How it is used:
 * - There is ONE object, filled again for each packet: copy what you keep. The bytes of `buffer` are reused, too.
 * - A frame with tunnels is handed over once for each IP datagram in it, from the outside to the inside: first the outer UDP datagram
 *   (`carriesTunnel` is true, its payload is not an application's), then the inner datagram (`tunnelDepth` 1, and so on up to 4).
 *   `frameNumber`, `frameOffset` and the times are the same for all of them. A frame without IP is handed over once (ARP: `etherType` 0x0806).
 * - The IP datagram that an ICMP error quotes is handed over after the ICMP message, with `inIcmpError` true and the fields of TCP that were
 *   quoted (`payloadCaptured` may be 0). It belongs to no connection (`connection` is -1) and changes none.
 * - All offsets are positions in `buffer`, -1 where the frame does not have the thing. Every byte from an offset to offset + the captured
 *   length of the same name is inside the frame: a reader that stays in these bounds reads no other packet.
 * - Numbers only, so that nothing is allocated per packet: times are ns since `baseSeconds`, addresses are offsets (`addressText` makes text).
 */
class DecodedPacket {
    /** The frame's bytes are `buffer[frameOffset]` to `buffer[frameOffset + capturedLength - 1]`. */
    buffer = noBytes;
    frameOffset = 0;
    /** position of the frame in the file, from 1, as Wireshark counts */
    frameNumber = 0;
    /** bytes in the file */
    capturedLength = 0;
    /** bytes on the wire, never less than `capturedLength` */
    wireLength = 0;
    /** s since the epoch, and ns to add */
    seconds = 0;
    nanoseconds = 0;
    /** ns since the start of the second of the first packet: exact for 104 days, may go backwards */
    timeNs = 0;
    /** LINKTYPE_ number */
    linkType = 0;
    /** SLL2: the interface index; pcapng: the number of the interface description in the file; else 0 */
    interfaceId = 0;
    /** SLL and SLL2: 0 to this host, 1 broadcast, 2 multicast, 3 to another host, 4 sent by this host; -1 for other link types */
    packetType = -1;
    /** Bits of `layer`: everything that was found in the frame so far, outer layers included. */
    layers = 0;
    /** number of VLAN tags before this datagram, and the identifiers of the outermost and the innermost one (-1: none) */
    vlanCount = 0;
    outerVlan = -1;
    /** ethertype of the outermost tag: 0x8100, or 0x88a8 for a provider's tag */
    outerVlanType = 0;
    vlan = -1;
    /** stands for the whole stack of tags, those outside of tunnels included; 0: no tag */
    vlanKey = 0;
    /** how many tunnels are around this datagram; the kind of the innermost one (`tunnel`), its VNI or key (-1: none) */
    tunnelDepth = 0;
    tunnelKind = 0;
    tunnelId = -1;
    /** the payload is a tunnel's: the datagram inside is handed over next */
    carriesTunnel = false;
    inIcmpError = false;
    /** of the innermost Ethernet or SLL header; 0 where IP is not preceded by one */
    etherType = 0;
    /** where the bytes after the link header are (the ARP message, for example), and how many were captured */
    networkOffset = -1;
    networkCaptured = 0;
    /** 4, 6, or 0 where there is no IP */
    ipVersion = 0;
    sourceOffset = -1;
    destinationOffset = -1;
    /** bytes of an address: 4 or 16 */
    addressLength = 0;
    /** IPv4 identification; 0 for IPv6 */
    ipId = 0;
    /** TTL or hop limit */
    ttl = 0;
    dontFragment = false;
    /** a fragment header or fragment bits are there; an atomic IPv6 fragment has the header and is whole */
    hasFragmentHeader = false;
    /** bytes before this fragment in its datagram; where it is > 0 there are no ports */
    fragmentStartBytes = 0;
    moreFragments = false;
    /** last protocol number of the chain: 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6; -1 where it is unknown */
    protocol = -1;
    /** of the TCP, UDP or ICMP header; -1 where it is not there (a later fragment, cut off) */
    transportOffset = -1;
    sourcePort = 0;
    destinationPort = 0;
    /** after the TCP or UDP header; for ICMP after the first four bytes */
    payloadOffset = -1;
    /** bytes by the IP length, not by what was captured */
    payloadLength = 0;
    /** bytes of the payload that are in `buffer`, at most `payloadLength` */
    payloadCaptured = 0;
    /** unsigned 32 bit */
    sequence = 0;
    acknowledgment = 0;
    /** bits of `tcpFlag` */
    tcpFlags = 0;
    /** as in the header, not scaled */
    window = 0;
    /** shift of the window scale option, -1: not there */
    windowScale = -1;
    /** bytes of the MSS option, 0: not there */
    maxSegmentLength = 0;
    hasTimestamps = false;
    timestampValue = 0;
    timestampEcho = 0;
    /** number of SACK blocks; their left and right edges are `sackEdges[2 * i]` and `sackEdges[2 * i + 1]` */
    sackCount = 0;
    sackEdges = new Uint32Array(8);
    isSackPermitted = false;
    /** Set by the connection tracker before other trackers are called. Number of the connection (TCP, UDP), -1: none. See `Connections`. */
    connection = -1;
    /** of the datagram that an ICMP error quotes: the connection that it is about, -1: it is not known */
    quotedConnection = -1;
    /** 0: sent by the endpoint that is `first` of the connection (the client where a SYN was seen), 1: by the other */
    direction = 0;
    /** bits of `tcpEvent`: how the segment was judged */
    tcpEvents = 0;
    /** the sequence number after the highest byte which this direction sent before this segment; meaningful where `isNextKnown` */
    nextSequence = 0;
    isNextKnown = false;
    /** all its data was sent before in this direction: set by the connection tracker, as `tcpEvents` */
    isResent = false;
    /** the same packet was seen on another interface before: statistics and application parsers skip it */
    isCopy = false;
    /** bits of `trait`; set before trackers are called */
    traits = 0;
}
/** What a packet has that only some trackers look at. */
const trait = {
    /** payload of a connection's TCP segment or UDP datagram, some of which was captured */
    payload: 1 << 0,
    /** a connection's TCP segment with FIN or RST */
    close: 1 << 1,
    /** no segment or datagram of a connection: ICMP, what it quotes, ARP, later fragments, headers that are cut off */
    other: 1 << 2,
    /** a VLAN tag, a tunnel, or a fragment header */
    wrapped: 1 << 3,
    /** a connection's segment or datagram without payload: every second packet is an acknowledgment */
    bare: 1 << 4,
};
/** IP protocol numbers. */
const ipProtocol = {
    icmp: 1,
    igmp: 2,
    ipip: 4,
    tcp: 6,
    udp: 17,
    ipv6: 41,
    gre: 47,
    esp: 50,
    ah: 51,
    icmpv6: 58,
    sctp: 132,
};
const tcpFlag = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ece: 64, cwr: 128 };
const tunnel = { none: 0, ipip: 1, gre: 2, erspan: 3, vxlan: 4, geneve: 5 };
/** What was found in a frame, by the names that tshark gives the protocols. */
const decoded_packet_layer = {
    eth: 1 << 0,
    sll: 1 << 1,
    raw: 1 << 2,
    null: 1 << 3,
    vlan: 1 << 4,
    mpls: 1 << 5,
    pppoes: 1 << 6,
    arp: 1 << 7,
    ip: 1 << 8,
    ipv6: 1 << 9,
    tcp: 1 << 10,
    udp: 1 << 11,
    icmp: 1 << 12,
    icmpv6: 1 << 13,
    igmp: 1 << 14,
    sctp: 1 << 15,
    esp: 1 << 16,
    gre: 1 << 17,
    erspan: 1 << 18,
    vxlan: 1 << 19,
    geneve: 1 << 20,
    ppp: 1 << 21,
};
/** tshark's judgement of a segment, the 15 `tcp.analysis.*` counters. `retransmission` is set beside `fastRetransmission` and `spuriousRetransmission`, too. */
const tcpEvent = {
    retransmission: 1 << 0,
    fastRetransmission: 1 << 1,
    spuriousRetransmission: 1 << 2,
    outOfOrder: 1 << 3,
    duplicateAck: 1 << 4,
    lostSegment: 1 << 5,
    ackLostSegment: 1 << 6,
    zeroWindow: 1 << 7,
    zeroWindowProbe: 1 << 8,
    zeroWindowProbeAck: 1 << 9,
    windowFull: 1 << 10,
    windowUpdate: 1 << 11,
    keepAlive: 1 << 12,
    keepAliveAck: 1 << 13,
    reusedPorts: 1 << 14,
};

;// CONCATENATED MODULE: ./src/analysis/decode/cursor.ts
/** Where the decoder is in a frame. */
class Cursor {
    /** position in the buffer of the next header */
    at = 0;
    /** after the last captured byte of what encloses the next header */
    end = 0;
    /** after its last byte on the wire: more than `end` where the capture was cut */
    wireEnd = 0;
    /** Captured bytes from here on, negative where a header reached over the end. */
    left() {
        return this.end - this.at;
    }
}
/** Ethertypes, and three numbers outside of their range for what has none. */
const etherType = {
    ipv4: 0x0800,
    arp: 0x0806,
    transparentEthernet: 0x6558,
    vlan: 0x8100,
    ipv6: 0x86dd,
    ppp: 0x880b,
    mpls: 0x8847,
    mplsMulticast: 0x8848,
    pppoe: 0x8864,
    serviceVlan: 0x88a8,
    erspan2: 0x88be,
    erspan3: 0x22eb,
    oldServiceVlan: 0x9100,
    /** nothing that is decoded */
    none: -1,
    /** IPv4 or IPv6, as its first four bits say */
    ip: -2,
};

;// CONCATENATED MODULE: ./src/analysis/bytes.ts
/** Reads big-endian numbers. The caller has checked that the bytes are there: outside of the buffer, the result is meaningless. */
function u16(buffer, at) {
    return (buffer[at] << 8) | buffer[at + 1];
}
function u24(buffer, at) {
    return (buffer[at] << 16) | (buffer[at + 1] << 8) | buffer[at + 2];
}
/** Unsigned. */
function u32(buffer, at) {
    return ((buffer[at] << 24) | (buffer[at + 1] << 16) | (buffer[at + 2] << 8) | buffer[at + 3]) >>> 0;
}
/** As `u32`, as a signed number: V8 keeps it without a heap object. */
function i32(buffer, at) {
    return (buffer[at] << 24) | (buffer[at + 1] << 16) | (buffer[at + 2] << 8) | buffer[at + 3];
}

;// CONCATENATED MODULE: ./src/analysis/decode/internet.ts



const maxExtensionsCount = 8;
/**
 * Reads the IP header and its extensions; `type` is an ethertype of IP. The cursor is then at the transport header and ends with the datagram:
 * the padding of a short Ethernet frame is not a part of it. Returns false where the header is cut off or nonsense; `ipVersion` is then 0.
 */
function readInternet(packet, cursor, type) {
    clearInternet(packet);
    if (cursor.left() < 1)
        return false;
    const version = packet.buffer[cursor.at] >> 4;
    if (type === etherType.ipv4 || (type === etherType.ip && version === 4))
        return readIpv4(packet, cursor);
    if (type === etherType.ipv6 || (type === etherType.ip && version === 6))
        return readIpv6(packet, cursor);
    return false;
}
function clearInternet(packet) {
    packet.ipVersion = 0;
    packet.sourceOffset = -1;
    packet.destinationOffset = -1;
    packet.addressLength = 0;
    packet.ipId = 0;
    packet.ttl = 0;
    packet.dontFragment = false;
    packet.hasFragmentHeader = false;
    packet.fragmentStartBytes = 0;
    packet.moreFragments = false;
    packet.protocol = -1;
}
function readIpv4(packet, cursor) {
    const { buffer } = packet;
    const start = cursor.at;
    packet.layers |= decoded_packet_layer.ip;
    if (cursor.left() < 20)
        return false;
    const headerBytes = (buffer[start] & 0xf) * 4;
    if (buffer[start] >> 4 !== 4 || headerBytes < 20)
        return false;
    const totalBytes = u16(buffer, start + 2);
    // 0: a segment that the network card or the kernel cuts up later (GSO, BIG TCP).
    if (totalBytes !== 0 && totalBytes < headerBytes)
        return false;
    packet.ipVersion = 4;
    packet.addressLength = 4;
    packet.ipId = u16(buffer, start + 4);
    const fragment = u16(buffer, start + 6);
    packet.dontFragment = (fragment & 0x4000) !== 0;
    packet.moreFragments = (fragment & 0x2000) !== 0;
    packet.fragmentStartBytes = (fragment & 0x1fff) * 8;
    packet.hasFragmentHeader = (fragment & 0x3fff) !== 0;
    packet.ttl = buffer[start + 8];
    packet.protocol = buffer[start + 9];
    packet.sourceOffset = start + 12;
    packet.destinationOffset = start + 16;
    if (totalBytes !== 0)
        endAt(cursor, start + totalBytes);
    cursor.at = start + headerBytes;
    if (packet.protocol === ipProtocol.ah)
        readExtensions(packet, cursor);
    return true;
}
function readIpv6(packet, cursor) {
    const { buffer } = packet;
    const start = cursor.at;
    packet.layers |= decoded_packet_layer.ipv6;
    if (cursor.left() < 40 || buffer[start] >> 4 !== 6)
        return false;
    packet.ipVersion = 6;
    packet.addressLength = 16;
    packet.ttl = buffer[start + 7];
    packet.protocol = buffer[start + 6];
    packet.sourceOffset = start + 8;
    packet.destinationOffset = start + 24;
    packet.dontFragment = true;
    const payloadBytes = u16(buffer, start + 4);
    // 0: a jumbo payload option (BIG TCP) or a segment that is cut up later.
    if (payloadBytes !== 0)
        endAt(cursor, start + 40 + payloadBytes);
    cursor.at = start + 40;
    readExtensions(packet, cursor);
    return true;
}
function endAt(cursor, end) {
    if (end < cursor.end)
        cursor.end = end;
    if (end < cursor.wireEnd)
        cursor.wireEnd = end;
}
const extension = {
    hopByHop: 0,
    routing: 43,
    fragment: 44,
    ah: 51,
    destination: 60,
    mobility: 135,
    hip: 139,
    shim6: 140,
};
/** Moves the cursor behind the extension headers. `protocol` is -1 afterwards where the chain is cut off or too long. */
function readExtensions(packet, cursor) {
    const { buffer } = packet;
    for (let count = 0; count <= maxExtensionsCount; count += 1) {
        const { protocol } = packet;
        if (!isExtension(protocol))
            return;
        if (count === maxExtensionsCount || cursor.left() < 8)
            break;
        const { at } = cursor;
        packet.protocol = buffer[at];
        if (protocol === extension.fragment) {
            const fragment = u16(buffer, at + 2);
            packet.hasFragmentHeader = true;
            packet.fragmentStartBytes = fragment & 0xfff8;
            packet.moreFragments = (fragment & 1) === 1;
            packet.ipId = u16(buffer, at + 6);
            cursor.at += 8;
            if (packet.fragmentStartBytes > 0)
                return;
        }
        else {
            // The length of AH is in units of 4 bytes and does not count the first two (RFC 4302), the others' in 8 without the first.
            cursor.at += protocol === extension.ah ? (buffer[at + 1] + 2) * 4 : (buffer[at + 1] + 1) * 8;
        }
    }
    packet.protocol = -1;
}
function isExtension(protocol) {
    switch (protocol) {
        case extension.hopByHop:
        case extension.routing:
        case extension.fragment:
        case extension.ah:
        case extension.destination:
        case extension.mobility:
        case extension.hip:
        case extension.shim6:
            return true;
        default:
            return false;
    }
}

;// CONCATENATED MODULE: ./src/analysis/decode/link.ts



/** LINKTYPE_ numbers: https://www.tcpdump.org/linktypes.html */
const linkType = {
    null: 0,
    ethernet: 1,
    rawBsd: 12,
    rawOpenBsd: 14,
    raw: 101,
    loop: 108,
    sll: 113,
    ipv4: 228,
    ipv6: 229,
    sll2: 276,
};
/** Reads the link header of a frame. Returns the ethertype of what follows, `etherType.none` where that is unknown or cut off. */
function readLink(packet, cursor) {
    switch (packet.linkType) {
        case linkType.ethernet:
            return readEthernet(packet, cursor);
        case linkType.sll:
            return readSll(packet, cursor);
        case linkType.sll2:
            return readSll2(packet, cursor);
        case linkType.raw:
        case linkType.rawBsd:
        case linkType.rawOpenBsd:
            packet.layers |= decoded_packet_layer.raw;
            return etherType.ip;
        case linkType.ipv4:
        case linkType.ipv6:
            packet.layers |= decoded_packet_layer.raw;
            return packet.linkType === linkType.ipv4 ? etherType.ipv4 : etherType.ipv6;
        case linkType.null:
        case linkType.loop:
            return readNull(packet, cursor);
        default:
            return etherType.none;
    }
}
function readEthernet(packet, cursor) {
    if (cursor.left() < 14)
        return etherType.none;
    packet.layers |= decoded_packet_layer.eth;
    const type = u16(packet.buffer, cursor.at + 12);
    cursor.at += 14;
    return type >= 0x600 ? type : readLlc(packet, cursor, type);
}
/** 802.3: a length in place of the type. IP is in it only behind a SNAP header (RFC 1042). */
function readLlc(packet, cursor, lengthBytes) {
    if (lengthBytes > 0) {
        cursor.end = Math.min(cursor.end, cursor.at + lengthBytes);
        cursor.wireEnd = Math.min(cursor.wireEnd, cursor.at + lengthBytes);
    }
    const { buffer } = packet;
    if (cursor.left() < 8 || u16(buffer, cursor.at) !== 0xaaaa || i32(buffer, cursor.at + 2) !== 0x03000000)
        return etherType.none;
    cursor.at += 8;
    return u16(buffer, cursor.at - 2);
}
function readSll(packet, cursor) {
    if (cursor.left() < 16)
        return etherType.none;
    packet.layers |= decoded_packet_layer.sll;
    packet.packetType = u16(packet.buffer, cursor.at);
    const type = u16(packet.buffer, cursor.at + 14);
    cursor.at += 16;
    return type >= 0x600 ? type : etherType.none;
}
function readSll2(packet, cursor) {
    if (cursor.left() < 20)
        return etherType.none;
    packet.layers |= decoded_packet_layer.sll;
    packet.interfaceId = i32(packet.buffer, cursor.at + 4);
    packet.packetType = packet.buffer[cursor.at + 10];
    const type = u16(packet.buffer, cursor.at);
    cursor.at += 20;
    return type >= 0x600 ? type : etherType.none;
}
/** BSD loopback: an address family in the byte order of the host that captured (NULL) or of the network (LOOP). */
function readNull(packet, cursor) {
    if (cursor.left() < 4)
        return etherType.none;
    packet.layers |= decoded_packet_layer.null;
    const { buffer } = packet;
    const value = u32(buffer, cursor.at);
    // Families are small numbers: the half that is zero tells the byte order.
    const family = value > 0xffff ? buffer[cursor.at] | (buffer[cursor.at + 1] << 8) : value;
    cursor.at += 4;
    if (family === 2)
        return etherType.ipv4;
    return family === 10 || family === 24 || family === 28 || family === 30 ? etherType.ipv6 : etherType.none;
}
/** VLAN tags, MPLS labels and PPPoE: each is short, and no frame of a sane network has more. */
const maxTagsCount = 16;
/** Reads what may be between a link header and the network layer. Returns the ethertype of the network layer. */
function readTags(packet, cursor, firstType) {
    let type = firstType;
    for (let count = 0; count < maxTagsCount; count += 1) {
        switch (type) {
            case etherType.vlan:
            case etherType.serviceVlan:
            case etherType.oldServiceVlan:
                type = readVlan(packet, cursor, type);
                break;
            case etherType.mpls:
            case etherType.mplsMulticast:
                type = readMpls(packet, cursor);
                break;
            case etherType.pppoe:
                type = readPppoe(packet, cursor);
                break;
            default:
                return type;
        }
    }
    return etherType.none;
}
function readVlan(packet, cursor, tagType) {
    if (cursor.left() < 4)
        return etherType.none;
    const id = u16(packet.buffer, cursor.at) & 0xfff;
    if (tagType !== etherType.serviceVlan)
        packet.layers |= decoded_packet_layer.vlan;
    if (packet.vlanCount === 0) {
        packet.outerVlan = id;
        packet.outerVlanType = tagType;
    }
    packet.vlan = id;
    packet.vlanCount += 1;
    packet.vlanKey = Math.imul(packet.vlanKey, 4_099) + id + 1;
    const next = u16(packet.buffer, cursor.at + 2);
    cursor.at += 4;
    return next >= 0x600 ? next : readLlc(packet, cursor, next);
}
/** Labels up to the bottom of the stack. What follows names no type: its first four bits tell, as Wireshark takes them. */
function readMpls(packet, cursor) {
    const { buffer } = packet;
    packet.layers |= decoded_packet_layer.mpls;
    for (let count = 0; count < maxTagsCount; count += 1) {
        if (cursor.left() < 5)
            return etherType.none;
        const isBottom = (buffer[cursor.at + 2] & 1) === 1;
        cursor.at += 4;
        if (!isBottom)
            continue;
        const version = buffer[cursor.at] >> 4;
        if (version === 4 || version === 6)
            return etherType.ip;
        if (version !== 0)
            return etherType.none;
        cursor.at += 4; // a pseudo-wire control word (RFC 4385) before an Ethernet frame
        return readEthernet(packet, cursor);
    }
    return etherType.none;
}
function readPppoe(packet, cursor) {
    if (cursor.left() < 6)
        return etherType.none;
    packet.layers |= decoded_packet_layer.pppoes;
    const bytes = u16(packet.buffer, cursor.at + 4);
    cursor.at += 6;
    cursor.end = Math.min(cursor.end, cursor.at + bytes);
    cursor.wireEnd = Math.min(cursor.wireEnd, cursor.at + bytes);
    return readPpp(packet, cursor);
}
/** PPP with or without address and control bytes, its protocol in one or two bytes (RFC 1661). */
function readPpp(packet, cursor) {
    const { buffer } = packet;
    packet.layers |= decoded_packet_layer.ppp;
    if (cursor.left() >= 2 && u16(buffer, cursor.at) === 0xff03)
        cursor.at += 2;
    if (cursor.left() < 2)
        return etherType.none;
    const isShort = (buffer[cursor.at] & 1) === 1;
    const protocol = isShort ? buffer[cursor.at] : u16(buffer, cursor.at);
    cursor.at += isShort ? 1 : 2;
    if (protocol === 0x21)
        return etherType.ipv4;
    if (protocol === 0x57)
        return etherType.ipv6;
    return protocol === 0x281 ? etherType.mpls : etherType.none;
}

;// CONCATENATED MODULE: ./src/analysis/decode/transport.ts


function clearTransport(packet) {
    packet.transportOffset = -1;
    packet.sourcePort = 0;
    packet.destinationPort = 0;
    packet.payloadOffset = -1;
    packet.payloadLength = 0;
    packet.payloadCaptured = 0;
    packet.tcpFlags = 0;
    packet.tcpEvents = 0;
    packet.connection = -1;
    packet.direction = 0;
    packet.isCopy = false;
}
/** Reads the transport header at the cursor. A later fragment has none: its first bytes are in the middle of a datagram. */
function readTransport(packet, cursor) {
    if (packet.fragmentStartBytes > 0)
        return;
    switch (packet.protocol) {
        case ipProtocol.tcp:
            packet.layers |= decoded_packet_layer.tcp;
            readTcp(packet, cursor);
            return;
        case ipProtocol.udp:
            packet.layers |= decoded_packet_layer.udp;
            readUdp(packet, cursor);
            return;
        case ipProtocol.icmp:
            packet.layers |= decoded_packet_layer.icmp;
            readFixed(packet, cursor, 4);
            return;
        case ipProtocol.icmpv6:
            packet.layers |= decoded_packet_layer.icmpv6;
            readFixed(packet, cursor, 4);
            return;
        case ipProtocol.gre:
            packet.layers |= decoded_packet_layer.gre;
            return;
        case ipProtocol.sctp:
            packet.layers |= decoded_packet_layer.sctp;
            return;
        case ipProtocol.esp:
            packet.layers |= decoded_packet_layer.esp;
            return;
        case ipProtocol.igmp:
            packet.layers |= decoded_packet_layer.igmp;
    }
}
/** Sets offset and lengths of the payload that follows a header of `headerBytes`. */
function readFixed(packet, cursor, headerBytes) {
    if (cursor.left() < headerBytes)
        return;
    packet.transportOffset = cursor.at;
    packet.payloadOffset = cursor.at + headerBytes;
    packet.payloadLength = cursor.wireEnd - packet.payloadOffset;
    packet.payloadCaptured = cursor.end - packet.payloadOffset;
}
function readUdp(packet, cursor) {
    const { buffer } = packet;
    if (cursor.left() < 8)
        return;
    const { at } = cursor;
    readFixed(packet, cursor, 8);
    packet.sourcePort = u16(buffer, at);
    packet.destinationPort = u16(buffer, at + 2);
    const bytes = u16(buffer, at + 4);
    if (bytes < 8)
        return; // 0: a jumbogram; else nonsense
    packet.payloadLength = Math.min(packet.payloadLength, bytes - 8);
    packet.payloadCaptured = Math.min(packet.payloadCaptured, packet.payloadLength);
}
/** Bytes of the TCP header up to the window, which is the last field that the analysis needs. */
const neededTcpBytes = 16;
function readTcp(packet, cursor) {
    const { buffer } = packet;
    const { at } = cursor;
    if (cursor.left() < (packet.inIcmpError ? 8 : neededTcpBytes))
        return;
    packet.transportOffset = at;
    packet.sourcePort = u16(buffer, at);
    packet.destinationPort = u16(buffer, at + 2);
    packet.sequence = u32(buffer, at + 4);
    clearOptions(packet);
    if (cursor.left() < neededTcpBytes)
        return;
    packet.acknowledgment = u32(buffer, at + 8);
    packet.tcpFlags = buffer[at + 13];
    packet.window = u16(buffer, at + 14);
    const headerBytes = (buffer[at + 12] >> 4) * 4;
    const payloadOffset = at + Math.max(20, headerBytes);
    packet.payloadLength = Math.max(0, cursor.wireEnd - payloadOffset);
    if (cursor.end >= payloadOffset) {
        packet.payloadOffset = payloadOffset;
        packet.payloadCaptured = cursor.end - payloadOffset;
    }
    if (headerBytes > 20)
        readOptions(packet, at + 20, Math.min(cursor.end, at + headerBytes));
}
function clearOptions(packet) {
    packet.acknowledgment = 0;
    packet.window = 0;
    packet.windowScale = -1;
    packet.maxSegmentLength = 0;
    packet.hasTimestamps = false;
    packet.sackCount = 0;
    packet.isSackPermitted = false;
}
const transport_option = { end: 0, noOperation: 1, mss: 2, windowScale: 3, sackPermitted: 4, sack: 5, timestamps: 8 };
/** NOP, NOP, timestamps of 10 bytes: what almost every segment of an established connection has. */
const onlyTimestamps = 0x0101080a;
function readOptions(packet, from, end) {
    const { buffer } = packet;
    let at = from;
    if (end - from >= 12 && u32(buffer, from) === onlyTimestamps) {
        setTimestamps(packet, from + 4);
        at = from + 12;
    }
    while (at < end) {
        const kind = buffer[at];
        if (kind === transport_option.end)
            return;
        if (kind === transport_option.noOperation) {
            at += 1;
            continue;
        }
        const bytes = at + 1 < end ? buffer[at + 1] : 0;
        if (bytes < 2 || at + bytes > end)
            return;
        readOption(packet, at, bytes);
        at += bytes;
    }
}
function readOption(packet, at, bytes) {
    const { buffer } = packet;
    const kind = buffer[at];
    if (kind === transport_option.mss && bytes === 4)
        packet.maxSegmentLength = u16(buffer, at + 2);
    else if (kind === transport_option.windowScale && bytes === 3)
        packet.windowScale = Math.min(14, buffer[at + 2]);
    else if (kind === transport_option.sackPermitted)
        packet.isSackPermitted = true;
    else if (kind === transport_option.timestamps && bytes === 10)
        setTimestamps(packet, at + 2);
    else if (kind === transport_option.sack)
        readSack(packet, at + 2, (bytes - 2) >> 3);
}
function setTimestamps(packet, at) {
    packet.hasTimestamps = true;
    packet.timestampValue = u32(packet.buffer, at);
    packet.timestampEcho = u32(packet.buffer, at + 4);
}
function readSack(packet, at, blocks) {
    const count = Math.min(4, blocks);
    packet.sackCount = count;
    for (let edge = 0; edge < 2 * count; edge += 1)
        packet.sackEdges[edge] = u32(packet.buffer, at + 4 * edge);
}

;// CONCATENATED MODULE: ./src/analysis/decode/tunnels.ts




/** What is in a tunnel: an ethertype, `etherType.transparentEthernet` for an Ethernet frame. */
class TunnelContent {
    kind = tunnel.none;
    id = -1;
    type = etherType.none;
}
/** VXLAN: IANA's port, and Linux' default, which flannel and Cilium use. */
const vxlanPort = 4789;
const linuxVxlanPort = 8472;
const vxlanGpePort = 4790;
const genevePort = 6081;
/**
 * Finds out whether the datagram's payload is a tunnel's. If so, sets `content`, moves the cursor to what is in the tunnel, and returns true.
 * Bits that must be set or zero are checked: ports alone do not make a tunnel.
 */
function enterTunnel(packet, cursor, content) {
    if (packet.fragmentStartBytes > 0)
        return false;
    switch (packet.protocol) {
        case ipProtocol.udp:
            return enterUdpTunnel(packet, cursor, content);
        case ipProtocol.gre:
            return enterGre(packet, cursor, content);
        case ipProtocol.ipip:
        case ipProtocol.ipv6:
            set(content, tunnel.ipip, -1);
            content.type = packet.protocol === ipProtocol.ipip ? etherType.ipv4 : etherType.ipv6;
            return true;
        default:
            return false;
    }
}
function set(content, kind, id) {
    content.kind = kind;
    content.id = id;
}
function enterUdpTunnel(packet, cursor, content) {
    const { buffer, sourcePort, destinationPort } = packet;
    const at = packet.payloadOffset;
    if (at < 0 || packet.payloadCaptured < 8)
        return false;
    if (sourcePort === genevePort || destinationPort === genevePort) {
        if (buffer[at] >> 6 !== 0)
            return false;
        packet.layers |= decoded_packet_layer.geneve;
        set(content, tunnel.geneve, u24(buffer, at + 4));
        content.type = u16(buffer, at + 2);
        cursor.at = at + 8 + (buffer[at] & 0x3f) * 4;
        return true;
    }
    if (sourcePort === vxlanGpePort || destinationPort === vxlanGpePort)
        return enterVxlanGpe(packet, cursor, content);
    if (!isVxlanPort(destinationPort) && !isVxlanPort(sourcePort))
        return false;
    if ((buffer[at] & 0x08) === 0)
        return false;
    packet.layers |= decoded_packet_layer.vxlan;
    set(content, tunnel.vxlan, u24(buffer, at + 4));
    content.type = etherType.transparentEthernet;
    cursor.at = at + 8;
    return true;
}
/** draft-ietf-nvo3-vxlan-gpe: a number says what is in the tunnel. */
function enterVxlanGpe({ buffer, payloadOffset: at }, cursor, content) {
    if ((buffer[at] & 0x08) === 0)
        return false;
    const type = [etherType.none, etherType.ipv4, etherType.ipv6, etherType.transparentEthernet][buffer[at + 3]];
    set(content, tunnel.vxlan, u24(buffer, at + 4));
    content.type = type ?? etherType.none;
    cursor.at = at + 8;
    return true;
}
function isVxlanPort(port) {
    return port === vxlanPort || port === linuxVxlanPort;
}
/** RFC 2784, RFC 2890; version 1 is PPTP's (RFC 2637). */
function enterGre(packet, cursor, content) {
    const { buffer } = packet;
    const { at } = cursor;
    if (cursor.left() < 4)
        return false;
    const flags = u16(buffer, at);
    const protocol = u16(buffer, at + 2);
    const isPptp = (flags & 7) === 1;
    let headerBytes = 4;
    if ((flags & 0xc000) !== 0)
        headerBytes += 4;
    const keyAt = at + headerBytes;
    if ((flags & 0x2000) !== 0)
        headerBytes += 4;
    if ((flags & 0x1000) !== 0)
        headerBytes += 4;
    if (isPptp && (flags & 0x0080) !== 0)
        headerBytes += 4;
    if (cursor.left() < headerBytes)
        return false;
    // The call id of PPTP differs by direction.
    set(content, tunnel.gre, (flags & 0x2000) !== 0 && !isPptp ? u32(buffer, keyAt) : -1);
    cursor.at = at + headerBytes;
    if (protocol === etherType.erspan2 || protocol === etherType.erspan3)
        return enterErspan(packet, cursor, { content, protocol, flags });
    content.type = protocol === etherType.ppp ? readPpp(packet, cursor) : protocol;
    return true;
}
/** draft-foschiano-erspan-03. Type I has no header of its own: it is the one without a GRE sequence number. */
function enterErspan(packet, cursor, gre) {
    const { content, protocol, flags } = gre;
    const { buffer } = packet;
    const { at } = cursor;
    content.type = etherType.transparentEthernet;
    content.kind = tunnel.erspan;
    packet.layers |= decoded_packet_layer.erspan;
    if (protocol === etherType.erspan2 && (flags & 0x1000) === 0)
        return true;
    const headerBytes = protocol === etherType.erspan2 ? 8 : 12;
    if (cursor.left() < headerBytes)
        return false;
    content.id = u16(buffer, at + 2) & 0x3ff;
    const hasSubheader = protocol === etherType.erspan3 && (buffer[at + 11] & 1) === 1;
    cursor.at += headerBytes + (hasSubheader ? 8 : 0);
    return true;
}

;// CONCATENATED MODULE: ./src/analysis/decode/decoder.ts






/** Deeper nesting is nonsense or an attack: the datagram at this depth is handed over, what is in it is not looked at. */
const maxTunnelDepthCount = 4;
/**
 * Turns the bytes of a frame into `DecodedPacket`s and hands each to the sink, from the outer datagram to the inner one. Bytes that are cut off
 * or make no sense end the decoding of that frame: what was understood before is handed over.
 */
class PacketDecoder {
    packet = new DecodedPacket();
    /** s since the epoch that `timeNs` counts from: that of the first packet */
    baseSeconds = 0;
    #hasBase = false;
    #cursor = new Cursor();
    #content = new TunnelContent();
    #sink;
    constructor(sink) {
        this.#sink = sink;
    }
    /** `packet.layers` has all layers of the frame afterwards. */
    decode(captured) {
        const { packet } = this;
        const cursor = this.#cursor;
        this.#startFrame(captured);
        let type = readLink(packet, cursor);
        for (;;) {
            type = readTags(packet, cursor, type);
            packet.etherType = type > 0 ? type : 0;
            packet.networkOffset = cursor.at;
            packet.networkCaptured = Math.max(0, cursor.left());
            clearTransport(packet);
            if (!this.#readDatagram(type))
                break;
            const isDeep = packet.tunnelDepth >= maxTunnelDepthCount;
            packet.carriesTunnel = !isDeep && enterTunnel(packet, cursor, this.#content);
            this.#sink.onPacket(packet);
            if (!packet.carriesTunnel)
                break;
            type = this.#startTunnel();
        }
        if (isIcmpError(packet))
            this.#readQuoted();
    }
    #startFrame(captured) {
        const { packet } = this;
        const { capturedLength, offset, seconds } = captured;
        if (!this.#hasBase) {
            this.#hasBase = true;
            this.baseSeconds = seconds;
        }
        packet.buffer = captured.buffer;
        packet.frameOffset = offset;
        packet.frameNumber = captured.frameNumber;
        packet.capturedLength = capturedLength;
        packet.wireLength = Math.max(capturedLength, captured.originalLength);
        packet.seconds = seconds;
        packet.nanoseconds = captured.nanoseconds;
        packet.timeNs = (seconds - this.baseSeconds) * 1e9 + captured.nanoseconds;
        packet.linkType = captured.linkType;
        packet.interfaceId = captured.interfaceId;
        packet.packetType = -1;
        packet.layers = 0;
        packet.inIcmpError = false;
        packet.tunnelDepth = 0;
        packet.tunnelKind = tunnel.none;
        packet.tunnelId = -1;
        packet.carriesTunnel = false;
        packet.vlanKey = 0;
        clearVlan(packet);
        const cursor = this.#cursor;
        cursor.at = offset;
        cursor.end = offset + capturedLength;
        cursor.wireEnd = offset + packet.wireLength;
    }
    /** Reads network and transport layer. False: there was no IP datagram, and the frame was handed over without. */
    #readDatagram(type) {
        const { packet } = this;
        if (type === etherType.ipv4 || type === etherType.ipv6 || type === etherType.ip) {
            if (readInternet(packet, this.#cursor, type)) {
                readTransport(packet, this.#cursor);
                return true;
            }
        }
        else {
            clearInternet(packet);
            if (type === etherType.arp)
                packet.layers |= decoded_packet_layer.arp;
        }
        packet.ipVersion = 0;
        packet.protocol = -1;
        packet.carriesTunnel = false;
        this.#sink.onPacket(packet);
        return false;
    }
    #startTunnel() {
        const { packet } = this;
        const content = this.#content;
        packet.tunnelDepth += 1;
        packet.tunnelKind = content.kind;
        packet.tunnelId = content.id;
        clearVlan(packet);
        return content.type === etherType.transparentEthernet ? readEthernet(packet, this.#cursor) : content.type;
    }
    /** The datagram that an ICMP error quotes, mostly cut off after a few bytes: its lengths are those on the wire before it was cut. */
    #readQuoted() {
        const { packet } = this;
        const cursor = this.#cursor;
        const type = packet.ipVersion === 4 ? etherType.ipv4 : etherType.ipv6;
        cursor.at = packet.payloadOffset + 4;
        if (cursor.left() < 1)
            return;
        cursor.wireEnd = Math.max(cursor.end, cursor.at + 65_535);
        packet.inIcmpError = true;
        clearTransport(packet);
        if (!readInternet(packet, cursor, type))
            return;
        readTransport(packet, cursor);
        this.#sink.onPacket(packet);
    }
}
function clearVlan(packet) {
    packet.vlanCount = 0;
    packet.outerVlan = -1;
    packet.vlan = -1;
}
function isIcmpError(packet) {
    if (packet.transportOffset < 0)
        return false;
    const type = packet.buffer[packet.transportOffset];
    if (packet.protocol === ipProtocol.icmp)
        return type === 3 || type === 4 || type === 5 || type === 11 || type === 12;
    return packet.protocol === ipProtocol.icmpv6 && type >= 1 && type <= 4;
}

;// CONCATENATED MODULE: ./src/analysis/addresses.ts

const slotsCount = 1_024;
/** The texts that were made last, by the address: four words and its length for each. */
const texts = new Array(slotsCount).fill('');
const keys = new Int32Array(slotsCount * 5);
/** Text of the address of 4 or 16 bytes at `offset`: dotted IPv4, or IPv6 as RFC 5952 writes it. The bytes must be in the buffer. */
function addressText(buffer, offset, addressLength) {
    const isShort = addressLength === 4;
    const first = i32(buffer, offset);
    const second = isShort ? 0 : i32(buffer, offset + 4);
    const third = isShort ? 0 : i32(buffer, offset + 8);
    const last = isShort ? 0 : i32(buffer, offset + 12);
    const hash = Math.imul(first ^ Math.imul(second ^ Math.imul(third ^ last, 0x9e3779b1), 0x85ebca6b), 0x9e3779b1);
    const slot = hash >>> 22;
    const at = slot * 5;
    if (keys[at] === first &&
        keys[at + 1] === second &&
        keys[at + 2] === third &&
        keys[at + 3] === last &&
        keys[at + 4] === addressLength)
        return texts[slot];
    keys[at] = first;
    keys[at + 1] = second;
    keys[at + 2] = third;
    keys[at + 3] = last;
    keys[at + 4] = addressLength;
    return (texts[slot] = makeText(buffer, offset, addressLength));
}
function makeText(buffer, offset, addressLength) {
    if (addressLength === 4)
        return `${buffer[offset]}.${buffer[offset + 1]}.${buffer[offset + 2]}.${buffer[offset + 3]}`;
    const groups = Array.from({ length: 8 }, (_, index) => (buffer[offset + 2 * index] << 8) | buffer[offset + 2 * index + 1]);
    if (isMapped(groups))
        return `::ffff:${makeText(buffer, offset + 12, 4)}`;
    const { start, length } = longestZeroRun(groups);
    if (length < 2)
        return groups.map(hex).join(':');
    return `${groups.slice(0, start).map(hex).join(':')}::${groups
        .slice(start + length)
        .map(hex)
        .join(':')}`;
}
/** An IPv4 address in IPv6 form: its text is mixed (RFC 5952, 5). */
function isMapped(groups) {
    return groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
}
function hex(group) {
    return group.toString(16);
}
/** The first of the longest runs of zeros: the one that RFC 5952, 4.2.3 shortens. */
function longestZeroRun(groups) {
    let best = { start: 0, length: 0 };
    let start = 0;
    groups.forEach((group, index) => {
        if (group !== 0)
            start = index + 1;
        else if (index + 1 - start > best.length)
            best = { start, length: index + 1 - start };
    });
    return best;
}

;// CONCATENATED MODULE: ./src/analysis/flows/layout.ts
/**
 * Where the fields of a flow are in the table's memory. A flow is one record of `flowWords` signed 32-bit words, the last of which are seen as
 * doubles as well: one record is a few neighbouring cache lines, and nothing is allocated per packet or per flow.
 */
const word = {
    /** four words of the endpoint with the smaller address and port, then four of the other; IPv4 uses the first of each */
    low: 0,
    high: 4,
    /** port of the low endpoint << 16 | port of the high one */
    ports: 8,
    /** IP version << 8 | protocol */
    protocol: 9,
    hash: 10,
    /** the next flow of the same hash bucket, -1: none */
    chainNext: 11,
    /** where each direction was seen (interface, VLAN, tunnel), see `flowTag` */
    tag0: 12,
    tag1: 13,
    /** bits of `flowBit` */
    bits: 14,
    interfaceId: 15,
    vlan: 16,
    /** the previous flow of the same hash bucket, -1: this is the first */
    chainPrevious: 17,
    tunnelId: 18,
    firstFrame: 19,
    lastFrame: 20,
    /** tshark's tcp.completeness: bits of `completeness` */
    completeness: 21,
    /** all events of its segments: bits of `tcpEvent` */
    events: 22,
    /** number of pure SYNs */
    syns: 23,
    /** two blocks of `directionWords`, one per direction */
    directions: 24,
};
/** Within a direction's block. Sequence numbers are signed 32-bit: compare by their difference. */
const directionWord = {
    next: 0,
    maxAckable: 1,
    lastAck: 2,
    duplicateAcks: 3,
    window: 4,
    /** shift; -1: its SYN had none, -2: its SYN was not seen */
    scale: 5,
    lastEvents: 6,
    /** sequence number of the SYN, or a guess */
    base: 7,
    /** bits of `directionBit` */
    bits: 8,
    packets: 9,
    dataSegments: 10,
    largestPayload: 11,
    /** the highest end of data that was seen, for resent data; `directionBit.hasData` */
    highest: 12,
    resentSegments: 13,
    /** index of the direction's holes, -1: none */
    holes: 14,
};
const directionWords = 15;
/** Doubles: index in the view of doubles, within a record of `flowDoubles`. Times are ns since the capture's base. */
const layout_double = {
    firstTime: 27,
    lastTime: 28,
    /** of the latest pure SYN */
    synTime: 29,
    /** handshake's round trip; negative: not seen */
    roundTrip: 30,
    synAckTime: 31,
    directions: 32,
    /** the last pause of at least 3 s: how long it was, and when it ended */
    idleBefore: 42,
    idleEnd: 43,
};
const directionDouble = {
    nextTime: 0,
    lastAckTime: 1,
    lastTime: 2,
    payloadBytes: 3,
    wireBytes: 4,
};
const directionDoubles = 5;
const flowDoubles = 44;
const flowWords = 88;
const flowBit = {
    /** the first packet was sent by the low endpoint */
    firstIsLow: 1 << 0,
    hasTag1: 1 << 1,
    /** direction 1 is the client's */
    clientIs1: 1 << 2,
    clientKnown: 1 << 3,
    hasSyn: 1 << 4,
    hasSynAck: 1 << 5,
    /** the client acknowledged the SYN-ACK */
    established: 1 << 6,
    hasData: 1 << 7,
    hasFin: 1 << 8,
    hasRst: 1 << 9,
    /** a reset before the client's acknowledgment, by the client or the server */
    refused: 1 << 10,
    resetInHandshake: 1 << 11,
    synRepeated: 1 << 12,
    icmpError: 1 << 13,
    /** a later connection has the same key */
    superseded: 1 << 14,
    /** all its packets are copies of another flow's */
    copy: 1 << 15,
    reused: 1 << 16,
    serverAnswered: 1 << 17,
    clientFinned: 1 << 18,
    serverFinned: 1 << 19,
    /** the latest data was sent in direction 1 */
    lastDataIn1: 1 << 20,
    /** the server sent its SYN-ACK again: the client's acknowledgment did not arrive, or was not captured */
    synAckRepeated: 1 << 21,
};
/** Two more bits: packets of direction 0, and of direction 1. */
const seenShift = 22;
const directionBit = {
    hasBase: 1 << 0,
    /** a segment with ACK and without SYN was sent: windows are scaled from here on */
    isScaling: 1 << 1,
    hasData: 1 << 2,
    /** its last segment announced a window of 0 */
    isStalled: 1 << 3,
};
const completeness = { syn: 1, synAck: 2, ack: 4, data: 8, fin: 16, rst: 32 };

;// CONCATENATED MODULE: ./src/analysis/tcp/segment-analysis.ts


const fastRetransmissionNs = 20_000_000;
/** How long after the next expected byte a segment counts as out of order where no round trip is known. */
const outOfOrderNs = 3_000_000;
const afterNanoseconds = Number.POSITIVE_INFINITY;
/**
 * Judges TCP segments as tshark 4.0.17 does, rule by rule (`tcp_analyze_sequence_number` in packet-tcp.c): the counters are those that people
 * know from Wireshark. Names and order of the steps are those of the rules. Zero means "not set" for next, maxAckable and lastAck, as there.
 */
class SegmentAnalysis {
    #words;
    #doubles;
    // The segment that is judged: where its direction's state (f) and the other direction's (r) are, and what it says.
    #f = 0;
    #r = 0;
    #fDoubles = 0;
    #rDoubles = 0;
    #seq = 0;
    #ack = 0;
    #bytes = 0;
    #flags = 0;
    #window = 0;
    #timeNs = 0;
    #isPlain = false;
    constructor(table) {
        this.#words = table.words;
        this.#doubles = table.doubles;
    }
    /** Returns the events, bits of `tcpEvent`. The packet's connection and direction are set. */
    judge(packet) {
        this.#load(packet);
        const words = this.#words;
        const f = this.#f;
        let events;
        if (this.#bytes === 1 &&
            this.#seq === words[f + directionWord.next] &&
            words[this.#r + directionWord.window] === 0) {
            events = tcpEvent.zeroWindowProbe;
        }
        else {
            events = this.#judgeWindow() | this.#judgeSequence();
            if (this.#bytes === 0 && this.#isPlain)
                events |= this.#judgePureAck();
        }
        if (this.#ack !== words[f + directionWord.lastAck])
            words[f + directionWord.duplicateAcks] = 0;
        if ((this.#flags & tcpFlag.ack) !== 0)
            events |= this.#judgeAckedLost();
        const takesSpace = this.#bytes > 0 || (this.#flags & (tcpFlag.syn | tcpFlag.fin)) !== 0;
        if (takesSpace && (events & tcpEvent.keepAlive) === 0)
            events |= this.#judgeRepeated(packet.connection);
        this.#store(events);
        this.#measureRoundTrip(packet.connection);
        return events;
    }
    #load(packet) {
        const { connection, direction } = packet;
        const at = connection * flowWords + word.directions;
        const doublesAt = connection * flowDoubles + layout_double.directions;
        this.#f = at + direction * directionWords;
        this.#r = at + (1 - direction) * directionWords;
        this.#fDoubles = doublesAt + direction * directionDoubles;
        this.#rDoubles = doublesAt + (1 - direction) * directionDoubles;
        this.#seq = packet.sequence | 0;
        this.#ack = packet.acknowledgment | 0;
        this.#bytes = packet.payloadLength;
        this.#flags = packet.tcpFlags;
        this.#window = packet.window;
        this.#timeNs = packet.timeNs;
        this.#isPlain = (packet.tcpFlags & (tcpFlag.syn | tcpFlag.fin | tcpFlag.rst)) === 0;
    }
    /** zero_window, window_full */
    #judgeWindow() {
        if (!this.#isPlain)
            return 0;
        const words = this.#words;
        const r = this.#r;
        let events = this.#window === 0 ? tcpEvent.zeroWindow : 0;
        const scale = words[r + directionWord.scale];
        if (this.#bytes > 0 && scale > -2) {
            const shift = (words[r + directionWord.bits] & directionBit.isScaling) !== 0 && scale > 0 ? scale : 0;
            const edge = (words[r + directionWord.lastAck] + (words[r + directionWord.window] << shift)) | 0;
            if (((this.#seq + this.#bytes) | 0) === edge)
                events |= tcpEvent.windowFull;
        }
        return events;
    }
    /** lost_segment, keep_alive */
    #judgeSequence() {
        const next = this.#words[this.#f + directionWord.next];
        let events = 0;
        if (next !== 0 && ((this.#seq - next) | 0) > 0 && (this.#flags & tcpFlag.rst) === 0)
            events |= tcpEvent.lostSegment;
        if (this.#bytes <= 1 && this.#isPlain && this.#seq === ((next - 1) | 0))
            events |= tcpEvent.keepAlive;
        return events;
    }
    /** window_update, keep_alive_ack, zero_window_probe_ack, duplicate_ack: segments without data that repeat seq and ack */
    #judgePureAck() {
        const words = this.#words;
        const f = this.#f;
        if (this.#seq !== words[f + directionWord.next] || this.#ack !== words[f + directionWord.lastAck])
            return 0;
        if (this.#window !== words[f + directionWord.window])
            return this.#window === 0 ? 0 : tcpEvent.windowUpdate;
        const answered = words[this.#r + directionWord.lastEvents];
        if (this.#window === 0)
            return (answered & tcpEvent.zeroWindowProbe) !== 0 ? tcpEvent.zeroWindowProbeAck : 0;
        if ((answered & tcpEvent.keepAlive) !== 0)
            return tcpEvent.keepAliveAck;
        words[f + directionWord.duplicateAcks] = (words[f + directionWord.duplicateAcks] + 1) | 0;
        return tcpEvent.duplicateAck;
    }
    #judgeAckedLost() {
        const words = this.#words;
        const r = this.#r;
        const ackable = words[r + directionWord.maxAckable];
        if (ackable === 0 || ((this.#ack - ackable) | 0) <= 0)
            return 0;
        const next = words[r + directionWord.next];
        if (((next - ackable) | 0) > 0) {
            words[r + directionWord.maxAckable] = next;
            return tcpEvent.ackLostSegment;
        }
        if (words[r + directionWord.duplicateAcks] !== 0)
            return 0;
        words[r + directionWord.duplicateAcks] = -1; // unsigned: more than any number of duplicates, and one more makes it 0
        return tcpEvent.ackLostSegment;
    }
    /** The four kinds of retransmission: the first rule that fits. */
    #judgeRepeated(connection) {
        const words = this.#words;
        const r = this.#r;
        const next = words[this.#f + directionWord.next];
        const end = (this.#seq + this.#bytes) | 0;
        const otherAck = words[r + directionWord.lastAck];
        if (this.#bytes > 0 && otherAck !== 0 && ((end - otherAck) | 0) <= 0)
            return tcpEvent.spuriousRetransmission | tcpEvent.retransmission;
        const isAdvanced = next === 0 || ((this.#seq - next) | 0) >= 0 || (this.#bytes > 1 && this.#seq === ((next - 1) | 0));
        if (isAdvanced)
            return 0;
        if (words[r + directionWord.duplicateAcks] >>> 0 >= 2 && otherAck === this.#seq) {
            if (this.#sinceNs(this.#rDoubles + directionDouble.lastAckTime) < fastRetransmissionNs) {
                return tcpEvent.fastRetransmission | tcpEvent.retransmission;
            }
        }
        const roundTripNs = this.#doubles[connection * flowDoubles + layout_double.roundTrip];
        const closeNs = roundTripNs > 0 ? roundTripNs : outOfOrderNs;
        const spaceEnd = (end + ((this.#flags & (tcpFlag.syn | tcpFlag.fin)) !== 0 ? 1 : 0)) | 0;
        if (spaceEnd !== next && this.#sinceNs(this.#fDoubles + directionDouble.nextTime) < closeNs)
            return tcpEvent.outOfOrder;
        return tcpEvent.retransmission;
    }
    /** A clock that goes back counts as very long: tshark's difference is unsigned. */
    #sinceNs(timeAt) {
        const differenceNs = this.#timeNs - this.#doubles[timeAt];
        return differenceNs < 0 ? afterNanoseconds : differenceNs;
    }
    #store(events) {
        const words = this.#words;
        const f = this.#f;
        const doubles = this.#doubles;
        const takesOne = (this.#flags & (tcpFlag.syn | tcpFlag.fin)) !== 0 ? 1 : 0;
        if ((events & tcpEvent.zeroWindowProbe) === 0) {
            const end = (this.#seq + this.#bytes + takesOne) | 0;
            const next = words[f + directionWord.next];
            if (next === 0 || ((end - next) | 0) > 0) {
                words[f + directionWord.next] = end;
                doubles[this.#fDoubles + directionDouble.nextTime] = this.#timeNs;
            }
            const ackable = words[f + directionWord.maxAckable];
            if (ackable === 0 || this.#seq === ackable)
                words[f + directionWord.maxAckable] = words[f + directionWord.next];
        }
        words[f + directionWord.window] = this.#window;
        words[f + directionWord.lastAck] = this.#ack;
        words[f + directionWord.lastEvents] = events;
        doubles[this.#fDoubles + directionDouble.lastAckTime] = this.#timeNs;
        if ((this.#flags & (tcpFlag.syn | tcpFlag.ack)) === tcpFlag.ack)
            words[f + directionWord.bits] |= directionBit.isScaling;
    }
    #measureRoundTrip(connection) {
        if ((this.#flags & (tcpFlag.syn | tcpFlag.ack)) !== tcpFlag.ack)
            return;
        const at = connection * flowDoubles;
        const doubles = this.#doubles;
        // A round trip of 0 ns is no measurement: tshark takes the next segment then.
        if (doubles[at + layout_double.roundTrip] > 0 || this.#words[connection * flowWords + word.syns] === 0)
            return;
        const roundTripNs = this.#timeNs - doubles[at + layout_double.synTime];
        if (roundTripNs > 0)
            doubles[at + layout_double.roundTrip] = roundTripNs;
    }
}

;// CONCATENATED MODULE: ./src/analysis/tcp/resent-data.ts


/** Holes of one direction that are remembered. Of more, the oldest is forgotten: its data counts as resent when it comes. */
const maxHolesCount = 16;
/** Directions with holes at once. */
const maxDirectionsCount = 20_000;
/**
 * Tells segments whose data was sent before at this capture point (resent, as tcptrace defines it) from those that fill a hole (late: lost or
 * reordered before the capture point). Unlike tshark's heuristics it does not depend on times: of 24 lost packets, it counts 24.
 */
class ResentData {
    /** segments all of whose bytes this direction had sent before */
    resent = 0;
    /** segments that fill a hole */
    late = 0;
    dataSegments = 0;
    /** holes that were never filled: the data was not captured. Of connections that have ended. */
    unfilledHoles = 0;
    /** directions whose holes were not remembered */
    untracked = 0;
    #words;
    /** segments that fill a hole, by connection */
    #late = new Map();
    /** by connection * 2 + direction */
    #holes = new Map();
    constructor(table) {
        this.#words = table.words;
    }
    /** The packet's connection, direction and events are set. True: the segment was resent. */
    onSegment(packet) {
        const words = this.#words;
        const block = packet.connection * flowWords + word.directions + packet.direction * directionWords;
        if ((packet.tcpFlags & tcpFlag.syn) !== 0)
            this.#expect(block, (packet.sequence + 1) | 0);
        const isProbe = (packet.tcpEvents & (tcpEvent.keepAlive | tcpEvent.zeroWindowProbe)) !== 0;
        if (packet.payloadLength === 0 || isProbe || (packet.tcpFlags & tcpFlag.rst) !== 0)
            return false;
        this.dataSegments += 1;
        const start = (packet.sequence + ((packet.tcpFlags & tcpFlag.syn) !== 0 ? 1 : 0)) | 0;
        const end = (start + packet.payloadLength) | 0;
        if ((words[block + directionWord.bits] & directionBit.hasData) === 0)
            this.#expect(block, start);
        const highest = words[block + directionWord.highest];
        const isNew = ((end - highest) | 0) > 0;
        if (isNew)
            words[block + directionWord.highest] = end;
        const aheadBytes = (start - highest) | 0;
        if (aheadBytes === 0)
            return false;
        const direction = packet.connection * 2 + packet.direction;
        if (aheadBytes > 0)
            this.#addHole(direction, block, { start: highest, end: start });
        else if (this.#fill(direction, block, { start, end }))
            this.#countLate(packet.connection);
        else if (!isNew) {
            this.resent += 1;
            words[block + directionWord.resentSegments] += 1;
            return true;
        }
        return false;
    }
    /** Segments of an open connection that fill a hole. */
    lateSegments(connection) {
        return this.#late.get(connection) ?? 0;
    }
    onConnectionEnd(flow) {
        this.#late.delete(flow);
        for (let direction = 0; direction < 2; direction += 1) {
            if (this.#words[flow * flowWords + word.directions + direction * directionWords + directionWord.holes] === noHoles)
                continue;
            this.unfilledHoles += this.#holes.get(flow * 2 + direction)?.length ?? 0;
            this.#holes.delete(flow * 2 + direction);
        }
    }
    #countLate(connection) {
        this.late += 1;
        const known = this.#late.get(connection);
        if (known !== undefined || this.#late.size < maxDirectionsCount)
            this.#late.set(connection, (known ?? 0) + 1);
    }
    #expect(block, sequence) {
        const words = this.#words;
        if ((words[block + directionWord.bits] & directionBit.hasData) !== 0)
            return;
        words[block + directionWord.highest] = sequence;
        words[block + directionWord.bits] |= directionBit.hasData;
    }
    #addHole(direction, block, hole) {
        let holes = this.#holes.get(direction);
        if (holes === undefined) {
            if (this.#holes.size >= maxDirectionsCount) {
                this.untracked += 1;
                return;
            }
            holes = [];
            this.#holes.set(direction, holes);
            this.#words[block + directionWord.holes] = 1;
        }
        if (holes.length === maxHolesCount)
            holes.shift();
        holes.push(hole);
    }
    /** Takes a segment's bytes out of the holes. False: no hole had any of them. */
    #fill(direction, block, segment) {
        if (this.#words[block + directionWord.holes] === noHoles)
            return false;
        const holes = this.#holes.get(direction);
        if (holes === undefined)
            return false;
        let isFilled = false;
        for (let index = holes.length - 1; index >= 0; index -= 1) {
            const hole = holes[index];
            if (((segment.end - hole.start) | 0) <= 0 || ((hole.end - segment.start) | 0) <= 0)
                continue;
            isFilled = true;
            const rest = [];
            if (((segment.start - hole.start) | 0) > 0)
                rest.push({ start: hole.start, end: segment.start });
            if (((hole.end - segment.end) | 0) > 0)
                rest.push({ start: segment.end, end: hole.end });
            holes.splice(index, 1, ...rest);
        }
        if (holes.length > maxHolesCount)
            holes.splice(0, holes.length - maxHolesCount);
        if (holes.length === 0) {
            this.#holes.delete(direction);
            this.#words[block + directionWord.holes] = noHoles;
        }
        return isFilled;
    }
}
const noHoles = -1;

;// CONCATENATED MODULE: ./src/analysis/percentiles.ts
const defaultMaxSamplesCount = 65_536;
/**
 * Nearest-rank percentiles of numbers. Exact up to `maxSamplesCount` numbers; of more, every second is dropped again and again, so that memory is bounded and
 * the numbers that are kept are spread evenly over the capture. Count, minimum and maximum are always exact.
 */
class Percentiles {
    #maxSamplesCount;
    #samples = [];
    #stride = 1;
    #count = 0;
    #min = Number.POSITIVE_INFINITY;
    #max = Number.NEGATIVE_INFINITY;
    constructor(maxSamplesCount = defaultMaxSamplesCount) {
        this.#maxSamplesCount = maxSamplesCount;
    }
    add(value) {
        if (this.#count % this.#stride === 0)
            this.#keep(value);
        this.#count += 1;
        this.#min = Math.min(this.#min, value);
        this.#max = Math.max(this.#max, value);
    }
    get count() {
        return this.#count;
    }
    /** Undefined: no number was added. */
    summary() {
        if (this.#count === 0)
            return undefined;
        const sorted = Float64Array.from(this.#samples).sort();
        return { count: this.#count, min: this.#min, p50: rank(sorted, 0.5), p95: rank(sorted, 0.95), max: this.#max };
    }
    #keep(value) {
        this.#samples.push(value);
        if (this.#samples.length < this.#maxSamplesCount)
            return;
        this.#samples = this.#samples.filter((_, index) => index % 2 === 0);
        this.#stride *= 2;
    }
}
function rank(sorted, share) {
    return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

;// CONCATENATED MODULE: ./src/analysis/tcp/tcp-totals.ts



const tcpEventNames = [
    ['retransmission', tcpEvent.retransmission],
    ['fast_retransmission', tcpEvent.fastRetransmission],
    ['spurious_retransmission', tcpEvent.spuriousRetransmission],
    ['out_of_order', tcpEvent.outOfOrder],
    ['duplicate_ack', tcpEvent.duplicateAck],
    ['lost_segment', tcpEvent.lostSegment],
    ['ack_lost_segment', tcpEvent.ackLostSegment],
    ['zero_window', tcpEvent.zeroWindow],
    ['zero_window_probe', tcpEvent.zeroWindowProbe],
    ['zero_window_probe_ack', tcpEvent.zeroWindowProbeAck],
    ['window_full', tcpEvent.windowFull],
    ['window_update', tcpEvent.windowUpdate],
    ['keep_alive', tcpEvent.keepAlive],
    ['keep_alive_ack', tcpEvent.keepAliveAck],
    ['reused_ports', tcpEvent.reusedPorts],
];
const maxSynGapConnectionsCount = 1_000;
const maxSynGapsCount = 64;
/** The sums over all connections. */
class TcpTotals {
    segments = 0;
    payloadBytes = 0;
    syn = 0;
    synack = 0;
    rst = 0;
    fin = 0;
    connections = 0;
    handshake = {
        with_syn: 0,
        without_syn: 0,
        established: 0,
        established_not_closed: 0,
        established_no_data: 0,
        half_open: 0,
        refused: 0,
        reset_in_handshake: 0,
        no_answer: 0,
        no_answer_but_icmp_error: 0,
        syn_retransmitted_streams: 0,
    };
    /** by "role:phase" */
    resets = new Map();
    /** connections by the bits of tshark's tcp.completeness */
    completeness = new Map();
    /** number of segments by the index in `tcpEventNames` */
    events = new Array(tcpEventNames.length).fill(0);
    /** ms */
    roundTrips = new Percentiles();
    /** s between the SYNs of a connection, of the connections that have more than one */
    #synGaps = new Map();
    #endedSynGaps = [];
    #table;
    constructor(table) {
        this.#table = table;
    }
    onSegment(packet) {
        const flags = packet.tcpFlags;
        if ((packet.layers & (decoded_packet_layer.icmp | decoded_packet_layer.icmpv6)) !== 0)
            return;
        this.segments += 1;
        this.payloadBytes += packet.payloadLength;
        if (packet.tcpEvents !== 0)
            this.#countEvents(packet.tcpEvents);
        if ((flags & (tcpFlag.syn | tcpFlag.fin | tcpFlag.rst)) === 0)
            return;
        if ((flags & tcpFlag.syn) !== 0) {
            if ((flags & tcpFlag.ack) !== 0)
                this.synack += 1;
            else
                this.syn += 1;
        }
        if ((flags & tcpFlag.fin) !== 0)
            this.fin += 1;
        if ((flags & tcpFlag.rst) !== 0)
            this.#countReset(packet);
    }
    onSynRepeated(packet, gapNs) {
        let gaps = this.#synGaps.get(packet.connection);
        if (gaps === undefined) {
            if (this.#synGaps.size + this.#endedSynGaps.length >= maxSynGapConnectionsCount)
                return;
            gaps = [];
            this.#synGaps.set(packet.connection, gaps);
        }
        if (gaps.length < maxSynGapsCount)
            gaps.push(Math.round(gapNs / 1e6) / 1e3);
    }
    onConnectionEnd(flow) {
        const { words, doubles } = this.#table;
        const bits = words[flow * flowWords + word.bits];
        const roundTripNs = doubles[flow * flowDoubles + layout_double.roundTrip];
        this.connections += 1;
        addTo(this.completeness, words[flow * flowWords + word.completeness]);
        if (roundTripNs >= 0)
            this.roundTrips.add(roundTripNs / 1e6);
        const gaps = this.#synGaps.get(flow);
        if (gaps !== undefined)
            this.#endedSynGaps.push(gaps);
        this.#synGaps.delete(flow);
        if ((bits & flowBit.hasSyn) === 0)
            this.handshake.without_syn += 1;
        else
            this.#countHandshake(bits, words[flow * flowWords + word.syns]);
    }
    synGaps() {
        return this.#endedSynGaps;
    }
    #countHandshake(bits, syns) {
        const { handshake } = this;
        handshake.with_syn += 1;
        if (syns > 1)
            handshake.syn_retransmitted_streams += 1;
        if ((bits & flowBit.established) !== 0) {
            handshake.established += 1;
            if ((bits & (flowBit.hasFin | flowBit.hasRst)) === 0)
                handshake.established_not_closed += 1;
            if ((bits & flowBit.hasData) === 0)
                handshake.established_no_data += 1;
        }
        else if ((bits & flowBit.hasSynAck) !== 0) {
            if ((bits & flowBit.resetInHandshake) !== 0)
                handshake.reset_in_handshake += 1;
            else
                handshake.half_open += 1;
        }
        else if ((bits & flowBit.refused) !== 0)
            handshake.refused += 1;
        else if ((bits & flowBit.icmpError) !== 0)
            handshake.no_answer_but_icmp_error += 1;
        else
            handshake.no_answer += 1;
    }
    #countEvents(events) {
        for (let index = 0; index < tcpEventNames.length; index += 1)
            if ((events & (1 << index)) !== 0)
                this.events[index] += 1;
    }
    #countReset(packet) {
        this.rst += 1;
        const bits = this.#table.words[packet.connection * flowWords + word.bits];
        addTo(this.resets, resetClass(packet, bits));
    }
}
/** Who reset a connection, and after what: "server:after_data". `bits` is the connection's state before the reset. */
function resetClass(packet, bits) {
    if ((bits & flowBit.hasSyn) === 0)
        return 'unknown:no_syn_seen';
    const role = ((bits & flowBit.clientIs1) !== 0) === (packet.direction === 1) ? 'client' : 'server';
    if ((bits & flowBit.hasFin) !== 0)
        return `${role}:after_fin`;
    if ((bits & flowBit.hasData) !== 0)
        return `${role}:after_data`;
    return (bits & flowBit.hasSynAck) !== 0 ? `${role}:after_handshake` : `${role}:to_syn`;
}
function addTo(counts, key) {
    counts.set(key, (counts.get(key) ?? 0) + 1);
}

;// CONCATENATED MODULE: ./src/analysis/tcp/tcp-evidence.ts



/** Connections or directions of each kind at once. */
const maxTrackedCount = 20_000;
const maxFramesCount = 8;
/** Keeps what findings need to tell of connections that were reset, stalled or sent data again: nothing for a healthy connection. */
class TcpEvidence {
    /** by connection */
    resets = new Map();
    /** by connection * 2 + direction of the side whose window was 0 */
    stalls = new Map();
    /** by connection * 2 + direction */
    repeats = new Map();
    /** by connection * 2 + direction of the data */
    sacked = new Map();
    /** connections that were reset while they were idle, after the server's last answer: no request was open */
    idleCloses = 0;
    /** connections or directions that were not kept because there were too many */
    dropped = 0;
    #table;
    constructor(table) {
        this.#table = table;
    }
    /** Called before the connection's state is moved on by the segment. */
    onSegment(packet, isResent) {
        if (isResent)
            this.#noteRepeat(packet);
        if (packet.sackCount > 0)
            this.#noteSack(packet);
        const flags = packet.tcpFlags;
        if ((flags & tcpFlag.rst) !== 0) {
            this.#noteReset(packet);
            return;
        }
        const { words } = this.#table;
        const bitsAt = packet.connection * flowWords + word.directions + packet.direction * directionWords + directionWord.bits;
        const isStalled = (words[bitsAt] & directionBit.isStalled) !== 0;
        if ((packet.tcpEvents & tcpEvent.zeroWindow) !== 0) {
            if (!isStalled)
                words[bitsAt] |= directionBit.isStalled;
            this.#noteZeroWindow(packet);
        }
        else if (isStalled && packet.window > 0) {
            words[bitsAt] &= ~directionBit.isStalled;
            this.#endStall(packet);
        }
    }
    onConnectionEnd(flow) {
        this.resets.delete(flow);
        for (let direction = flow * 2; direction < flow * 2 + 2; direction += 1) {
            this.stalls.delete(direction);
            this.repeats.delete(direction);
            this.sacked.delete(direction);
        }
    }
    #noteSack({ connection, direction, sackEdges }) {
        const key = connection * 2 + 1 - direction;
        const end = sackEdges[1];
        const bytes = (end - sackEdges[0]) >>> 0;
        const known = this.sacked.get(key);
        if (known === undefined) {
            if (this.#canKeep(this.sacked, key))
                this.sacked.set(key, { end, smallestBytes: bytes });
            return;
        }
        if (((end - known.end) | 0) > 0)
            known.end = end;
        if (bytes < known.smallestBytes)
            known.smallestBytes = bytes;
    }
    #noteReset(packet) {
        const { words, doubles } = this.#table;
        const { connection, timeNs } = packet;
        const bits = words[connection * flowWords + word.bits];
        // A reset after a FIN is harmless: data that came late, or a program that ended.
        if ((bits & flowBit.hasFin) !== 0 || (bits & (flowBit.established | flowBit.hasData)) === 0)
            return;
        if (!this.#canKeep(this.resets, connection))
            return;
        if (this.resets.has(connection))
            return;
        const at = connection * flowDoubles;
        const idleNs = doubles[at + layout_double.idleBefore];
        const pauseEndedNs = idleNs > 0 ? timeNs - doubles[at + layout_double.idleEnd] : Number.POSITIVE_INFINITY;
        const isLastDataOfServer = ((bits & flowBit.lastDataIn1) !== 0) !== ((bits & flowBit.clientIs1) !== 0);
        if (pauseEndedNs === 0 && isLastDataOfServer) {
            this.idleCloses += 1;
            return;
        }
        this.resets.set(connection, {
            resetClass: resetClass(packet, bits),
            frame: packet.frameNumber,
            timeNs,
            // Somebody used the connection after the pause, and the reset answers.
            idleNs: pauseEndedNs > 0 && pauseEndedNs < 1e9 ? idleNs : 0,
        });
    }
    #noteZeroWindow({ connection, direction, frameNumber, timeNs }) {
        const key = connection * 2 + direction;
        const known = this.stalls.get(key);
        if (known === undefined) {
            if (!this.#canKeep(this.stalls, key))
                return;
            const stall = {
                firstFrame: frameNumber,
                firstTimeNs: timeNs,
                lastTimeNs: timeNs,
                stalls: 1,
                stalledNs: 0,
                openSinceNs: timeNs,
            };
            this.stalls.set(key, stall);
            return;
        }
        known.lastTimeNs = timeNs;
        if (known.openSinceNs >= 0)
            return;
        known.stalls += 1;
        known.openSinceNs = timeNs;
    }
    #endStall({ connection, direction, timeNs }) {
        const stall = this.stalls.get(connection * 2 + direction);
        if (stall === undefined || stall.openSinceNs < 0)
            return;
        stall.stalledNs += Math.max(0, timeNs - stall.openSinceNs);
        stall.openSinceNs = -1;
        stall.lastTimeNs = timeNs;
    }
    #noteRepeat({ connection, direction, frameNumber, timeNs, sequence, payloadLength, dontFragment, }) {
        const key = connection * 2 + direction;
        const known = this.repeats.get(key);
        if (known?.sequence === sequence) {
            known.count += 1;
            known.lastTimeNs = timeNs;
            if (known.frames.length < maxFramesCount)
                known.frames.push(frameNumber);
        }
        else if (known === undefined ? this.#canKeep(this.repeats, key) : known.count <= 1) {
            this.repeats.set(key, {
                sequence,
                bytes: payloadLength,
                count: 1,
                firstTimeNs: timeNs,
                lastTimeNs: timeNs,
                frames: [frameNumber],
                dontFragment,
            });
        }
    }
    #canKeep(map, key) {
        if (map.size < maxTrackedCount || map.has(key))
            return true;
        this.dropped += 1;
        return false;
    }
}

;// CONCATENATED MODULE: ./src/analysis/tcp/tcp-tracker.ts






const flagsOfHandshake = tcpFlag.syn | tcpFlag.ack;
/** Follows the state of TCP connections: which was opened, answered, used, closed or reset, and how each segment is judged. */
class TcpTracker {
    totals;
    resentData;
    evidence;
    #table;
    #analysis;
    constructor(table) {
        this.#table = table;
        this.#analysis = new SegmentAnalysis(table);
        this.totals = new TcpTotals(table);
        this.resentData = new ResentData(table);
        this.evidence = new TcpEvidence(table);
    }
    /** Takes a segment that was assigned to a connection; sets its events, and another connection where its ports are used again. */
    onSegment(packet) {
        const flags = packet.tcpFlags & flagsOfHandshake;
        const reusedPorts = this.#startSequence(packet, flags);
        const { words } = this.#table;
        const block = this.#block(packet);
        packet.nextSequence = words[block + directionWord.next] >>> 0;
        packet.isNextKnown = packet.nextSequence !== 0;
        packet.tcpEvents = this.#analysis.judge(packet) | reusedPorts;
        if ((flags & tcpFlag.syn) !== 0)
            words[block + directionWord.scale] = packet.windowScale;
        packet.isResent = false;
        if (!packet.isCopy) {
            this.totals.onSegment(packet);
            packet.isResent = this.resentData.onSegment(packet);
            this.evidence.onSegment(packet, packet.isResent);
        }
        this.#advance(packet);
    }
    /** Must be called once for each connection: before its record is used again, or at the end. */
    onConnectionEnd(flow) {
        this.totals.onConnectionEnd(flow);
        this.resentData.onConnectionEnd(flow);
        this.evidence.onConnectionEnd(flow);
    }
    #block({ connection, direction }) {
        return connection * flowWords + word.directions + direction * directionWords;
    }
    /** Notes the direction's first sequence number; a SYN with another one begins a new connection. Returns `reusedPorts` or 0. */
    #startSequence(packet, flags) {
        const { words } = this.#table;
        const sequence = packet.sequence | 0;
        let event = 0;
        let block = this.#block(packet);
        const hasBase = (words[block + directionWord.bits] & directionBit.hasBase) !== 0;
        if ((flags & tcpFlag.syn) !== 0 && hasBase) {
            const isRepeated = words[block + directionWord.base] === sequence;
            if (flags === tcpFlag.syn) {
                if (isRepeated)
                    words[block + directionWord.next] = words[block + directionWord.maxAckable];
                else
                    this.#table.supersede(packet);
            }
            if (!isRepeated) {
                event = tcpEvent.reusedPorts;
                block = this.#block(packet);
                this.#setBase(block, sequence);
            }
        }
        if (!hasBase)
            this.#setBase(block, (flags & tcpFlag.syn) !== 0 ? sequence : (sequence - 1) | 0);
        if (flags === tcpFlag.syn)
            this.#noteSyn(packet);
        if ((flags & tcpFlag.ack) !== 0) {
            const other = packet.connection * flowWords + word.directions + (1 - packet.direction) * directionWords;
            if ((words[other + directionWord.bits] & directionBit.hasBase) === 0)
                this.#setBase(other, (packet.acknowledgment - 1) | 0);
        }
        return event;
    }
    #setBase(block, sequence) {
        const { words } = this.#table;
        words[block + directionWord.base] = sequence;
        words[block + directionWord.bits] |= directionBit.hasBase;
    }
    #noteSyn(packet) {
        const { words, doubles } = this.#table;
        const at = packet.connection * flowWords;
        const synTimeAt = packet.connection * flowDoubles + layout_double.synTime;
        if (words[at + word.syns] > 0)
            this.totals.onSynRepeated(packet, packet.timeNs - doubles[synTimeAt]);
        words[at + word.syns] += 1;
        doubles[synTimeAt] = packet.timeNs;
    }
    /** Moves the connection's state on. */
    #advance(packet) {
        const { words } = this.#table;
        const at = packet.connection * flowWords;
        const flags = packet.tcpFlags;
        let bits = words[at + word.bits];
        if ((flags & tcpFlag.syn) !== 0)
            bits = this.#advanceBySyn(packet, bits);
        else if ((flags & tcpFlag.ack) !== 0 && (flags & tcpFlag.rst) === 0)
            bits = advanceByAck(packet, bits);
        if (packet.payloadLength > 0) {
            bits =
                packet.direction === 1
                    ? bits | flowBit.hasData | flowBit.lastDataIn1
                    : (bits | flowBit.hasData) & ~flowBit.lastDataIn1;
            this.#noteData(packet);
        }
        if ((flags & tcpFlag.rst) !== 0)
            bits = advanceByReset(packet, bits);
        if ((flags & tcpFlag.fin) !== 0)
            bits |= flowBit.hasFin | (isFromClient(packet, bits) ? flowBit.clientFinned : flowBit.serverFinned);
        words[at + word.bits] = bits;
        words[at + word.completeness] |= completenessOf(packet, words[at + word.firstFrame] === packet.frameNumber);
        words[at + word.events] |= packet.tcpEvents;
    }
    #advanceBySyn(packet, bits) {
        const isAnswer = (packet.tcpFlags & tcpFlag.ack) !== 0;
        if (isAnswer)
            this.#table.doubles[packet.connection * flowDoubles + layout_double.synAckTime] = packet.timeNs;
        // The sender of a SYN is the client, that of a SYN-ACK the server.
        const clientIs1 = (packet.direction === 1) !== isAnswer;
        const isRepeated = isAnswer && (bits & flowBit.hasSynAck) !== 0;
        const added = isAnswer
            ? flowBit.hasSynAck | flowBit.serverAnswered | (isRepeated ? flowBit.synAckRepeated : 0)
            : flowBit.hasSyn;
        const known = bits | flowBit.clientKnown | added;
        if (isAnswer && (bits & flowBit.clientKnown) !== 0)
            return known;
        return clientIs1 ? known | flowBit.clientIs1 : known & ~flowBit.clientIs1;
    }
    #noteData(packet) {
        const { words } = this.#table;
        const block = this.#block(packet);
        words[block + directionWord.dataSegments] += 1;
        if (packet.payloadLength > words[block + directionWord.largestPayload])
            words[block + directionWord.largestPayload] = packet.payloadLength;
    }
}
function isFromClient(packet, bits) {
    return ((bits & flowBit.clientIs1) !== 0) === (packet.direction === 1);
}
function advanceByAck(packet, bits) {
    if (!isFromClient(packet, bits))
        return bits | flowBit.serverAnswered;
    return (bits & flowBit.hasSynAck) !== 0 ? bits | flowBit.established : bits;
}
function advanceByReset(packet, bits) {
    let reset = bits | flowBit.hasRst;
    if ((bits & flowBit.established) !== 0)
        return reset;
    if ((bits & flowBit.hasSynAck) !== 0)
        reset |= flowBit.resetInHandshake;
    else if (!isFromClient(packet, bits))
        reset |= flowBit.refused;
    return reset;
}
/** What tshark's tcp.completeness gets from a segment: the first one of a connection counts only as SYN or SYN-ACK, and a SYN only as the first one. */
function completenessOf(packet, isFirst) {
    const flags = packet.tcpFlags;
    const handshake = flags & flagsOfHandshake;
    if (handshake === tcpFlag.syn && isFirst)
        return completeness.syn;
    let bits = 0;
    if (handshake === flagsOfHandshake)
        bits |= completeness.synAck;
    if (isFirst)
        return bits;
    if (handshake === tcpFlag.ack)
        bits |= packet.payloadLength > 0 ? completeness.data : completeness.ack;
    if ((flags & (tcpFlag.fin | tcpFlag.ack)) === (tcpFlag.fin | tcpFlag.ack))
        bits |= completeness.fin;
    if ((flags & tcpFlag.rst) !== 0)
        bits |= completeness.rst;
    return bits;
}

;// CONCATENATED MODULE: ./src/analysis/flows/copy-detector.ts


/** A power of two. Of packets that are this many apart, copies are not found: within 5 ms, that is 13 million packets a second. */
const copy_detector_slotsCount = 65_536;
/** How long a packet needs from one interface of a node to the next. */
const maxDelayNs = 5_000_000;
const linkTypesOfAllInterfaces = new Set([113, 276]);
/**
 * Finds packets that were seen before at another place (interface, VLAN, tunnel): a capture of all interfaces has each packet two to four times.
 * MAC addresses, TTL and checksums differ between copies and are not compared.
 */
class CopyDetector {
    #fingerprints = new Int32Array(copy_detector_slotsCount);
    #flows = new Int32Array(copy_detector_slotsCount);
    #times = new Float64Array(copy_detector_slotsCount).fill(Number.NEGATIVE_INFINITY);
    /** True: the packet, which is assigned to its flow, was seen in another flow with the same addresses and ports, whose hash is `keyHash`. */
    isCopy(packet, keyHash) {
        // A capture of one interface without VLANs and tunnels has no other place.
        if (!linkTypesOfAllInterfaces.has(packet.linkType) &&
            packet.interfaceId === 0 &&
            packet.vlanKey === 0 &&
            packet.tunnelDepth === 0)
            return false;
        const fingerprint = fingerprintOf(packet, keyHash);
        const slot = (fingerprint ^ (fingerprint >>> 16)) & (copy_detector_slotsCount - 1);
        const ageNs = Math.abs(packet.timeNs - this.#times[slot]);
        if (this.#fingerprints[slot] === fingerprint && ageNs <= maxDelayNs)
            return this.#flows[slot] !== packet.connection;
        this.#fingerprints[slot] = fingerprint;
        this.#flows[slot] = packet.connection;
        this.#times[slot] = packet.timeNs;
        return false;
    }
}
function fingerprintOf(packet, keyHash) {
    let hash = mix(keyHash + packet.direction, packet.ipId);
    hash = mix(hash, packet.payloadLength);
    if (packet.protocol === ipProtocol.tcp) {
        hash = mix(mix(hash, packet.sequence), packet.acknowledgment);
        return mix(mix(hash, packet.tcpFlags), packet.hasTimestamps ? packet.timestampValue : 0);
    }
    // Of UDP, the first bytes of the payload tell datagrams apart (the id of a DNS message).
    return packet.payloadCaptured >= 2 ? mix(hash, u16(packet.buffer, packet.payloadOffset)) : hash;
}
function mix(hash, value) {
    const mixed = Math.imul(hash ^ value, 0x85ebca6b);
    return mixed ^ (mixed >>> 13);
}

// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(77598);
;// CONCATENATED MODULE: ./src/analysis/flows/flow-table.ts




/** How many flows are looked at to find one to give up. */
const evictionCandidatesCount = 8;
/** Packets that were made to fall into one bucket, or into one flow with many tunnels, must not make the search slow. */
const maxChainStepsCount = 128;
/**
 * Flows of TCP and UDP by interface, VLAN, tunnel, addresses, ports and protocol, in one block of memory (`layout.ts`).
 *
 * A capture of all interfaces sees a packet on each interface that it passes. Each interface has a flow of its own, so that the copies are not
 * taken for retransmissions. But some paths differ by direction (Geneve in OVN has another VNI on the way back, SLL another packet type): the
 * answer of a flow that was seen in one direction only belongs to that flow, wherever it is seen, unless another flow fits exactly.
 */
class FlowTable {
    words;
    doubles;
    /** number of flows, at most `maxFlowsCount`; their numbers are 0 to count - 1 */
    count = 0;
    evictedCount = 0;
    maxFlowsCount;
    #buckets;
    #bucketMask;
    #options;
    #evictionHand = 0;
    // The key of the packet that is looked up.
    #key = new Int32Array(10);
    #keyHash = 0;
    #sourceIsLow = true;
    constructor(options) {
        // The whole block at once: the system gives the memory when a record is first used, and growing would copy.
        const memory = new ArrayBuffer(options.maxFlowsCount * flowWords * 4);
        this.words = new Int32Array(memory);
        this.doubles = new Float64Array(memory);
        const buckets = 1 << Math.max(8, Math.ceil(Math.log2(options.maxFlowsCount)));
        this.#buckets = new Int32Array(buckets);
        this.#bucketMask = buckets - 1;
        this.#options = options;
        this.maxFlowsCount = options.maxFlowsCount;
    }
    /** Sets `connection` and `direction` of the packet, which must have ports. Makes a flow where there is none. */
    assign(packet) {
        this.#setKey(packet);
        const tag = this.#options.keyLikeTshark ? 0 : flowTag(packet);
        let flow = this.#find(tag, isPureSyn(packet));
        if (flow < 0)
            flow = this.#add(packet, tag);
        this.#use(packet, flow, tag);
    }
    /** A new flow for the packet in place of the one that it was assigned to: its ports are used again. */
    supersede(packet) {
        const old = packet.connection;
        const tag = this.#options.keyLikeTshark ? 0 : flowTag(packet);
        this.words[old * flowWords + word.bits] |= flowBit.superseded;
        this.#setKey(packet);
        const flow = this.#add(packet, tag);
        this.words[flow * flowWords + word.bits] |= flowBit.reused;
        this.#use(packet, flow, tag);
    }
    /** The flow with the packet's key, the first view of it before its copies; -1 where it is unknown. Nothing is changed. */
    findKnown(packet) {
        this.#setKey(packet);
        const { words } = this;
        let found = -1;
        let next = this.#buckets[this.#keyHash & this.#bucketMask] - 1;
        for (let steps = 0; next >= 0 && steps < maxChainStepsCount; steps += 1) {
            const flow = next;
            next = words[flow * flowWords + word.chainNext];
            if (!this.#hasKey(flow))
                continue;
            if ((words[flow * flowWords + word.bits] & flowBit.copy) === 0)
                return flow;
            if (found < 0)
                found = flow;
        }
        return found;
    }
    #use(packet, flow, tag) {
        const { words } = this;
        const at = flow * flowWords;
        const bits = words[at + word.bits];
        const isFirst = ((bits & flowBit.firstIsLow) !== 0) === this.#sourceIsLow;
        packet.connection = flow;
        packet.direction = isFirst ? 0 : 1;
        if (!isFirst && (bits & flowBit.hasTag1) === 0) {
            words[at + word.tag1] = tag;
            words[at + word.bits] = bits | flowBit.hasTag1;
        }
    }
    /** The newest flow with the key that was seen in the packet's direction at the same place, or else one whose answers were not seen yet. */
    #find(tag, isSyn) {
        const { words } = this;
        let open = -1;
        let next = this.#buckets[this.#keyHash & this.#bucketMask] - 1;
        for (let steps = 0; next >= 0 && steps < maxChainStepsCount; steps += 1) {
            const flow = next;
            next = words[flow * flowWords + word.chainNext];
            if (!this.#hasKey(flow))
                continue;
            const at = flow * flowWords;
            const bits = words[at + word.bits];
            if ((bits & flowBit.superseded) !== 0)
                continue;
            const isFirst = ((bits & flowBit.firstIsLow) !== 0) === this.#sourceIsLow;
            if (isFirst ? words[at + word.tag0] === tag : (bits & flowBit.hasTag1) !== 0 && words[at + word.tag1] === tag)
                return flow;
            if (isFirst || (bits & flowBit.hasTag1) !== 0)
                continue;
            if (words[at + word.tag0] === tag)
                return flow;
            // The first view of a flow before its copies.
            if (!isSyn && (open < 0 || (bits & flowBit.copy) === 0))
                open = flow;
        }
        return open;
    }
    #hasKey(flow) {
        const { words } = this;
        const key = this.#key;
        const at = flow * flowWords;
        if (words[at + word.hash] !== this.#keyHash)
            return false;
        for (let index = 0; index < 10; index += 1)
            if (words[at + index] !== key[index])
                return false;
        return true;
    }
    #add(packet, tag) {
        const { words, doubles } = this;
        const flow = this.count < this.#options.maxFlowsCount ? this.count++ : this.#evict();
        const at = flow * flowWords;
        words.fill(0, at, at + flowWords);
        words.set(this.#key, at);
        words[at + word.hash] = this.#keyHash;
        this.#link(flow);
        words[at + word.tag0] = tag;
        words[at + word.bits] = this.#sourceIsLow ? flowBit.firstIsLow : 0;
        words[at + word.interfaceId] = packet.interfaceId;
        words[at + word.vlan] = packet.vlan;
        words[at + word.tunnelId] = packet.tunnelId;
        words[at + word.firstFrame] = packet.frameNumber;
        for (let direction = 0; direction < 2; direction += 1) {
            const block = at + word.directions + direction * directionWords;
            words[block + directionWord.scale] = -2;
            words[block + directionWord.holes] = -1;
        }
        doubles[flow * flowDoubles + layout_double.firstTime] = packet.timeNs;
        doubles[flow * flowDoubles + layout_double.roundTrip] = -1;
        return flow;
    }
    #evict() {
        const { doubles } = this;
        let oldest = this.#evictionHand;
        for (let step = 0; step < evictionCandidatesCount; step += 1) {
            const flow = (this.#evictionHand + step) % this.count;
            if (doubles[flow * flowDoubles + layout_double.lastTime] < doubles[oldest * flowDoubles + layout_double.lastTime])
                oldest = flow;
        }
        this.#evictionHand = (this.#evictionHand + evictionCandidatesCount) % this.count;
        this.#options.onEvicted(oldest);
        this.#unlink(oldest);
        this.evictedCount += 1;
        return oldest;
    }
    #link(flow) {
        const { words } = this;
        const bucket = this.#keyHash & this.#bucketMask;
        const next = this.#buckets[bucket] - 1;
        words[flow * flowWords + word.chainNext] = next;
        words[flow * flowWords + word.chainPrevious] = -1;
        if (next >= 0)
            words[next * flowWords + word.chainPrevious] = flow;
        this.#buckets[bucket] = flow + 1;
    }
    #unlink(flow) {
        const { words } = this;
        const next = words[flow * flowWords + word.chainNext];
        const previous = words[flow * flowWords + word.chainPrevious];
        if (next >= 0)
            words[next * flowWords + word.chainPrevious] = previous;
        if (previous >= 0)
            words[previous * flowWords + word.chainNext] = next;
        else
            this.#buckets[words[flow * flowWords + word.hash] & this.#bucketMask] = next + 1;
    }
    #setKey(packet) {
        const { buffer, sourceOffset, destinationOffset, addressLength, sourcePort, destinationPort } = packet;
        const key = this.#key;
        const order = compareAddresses(buffer, sourceOffset, destinationOffset, addressLength);
        const sourceIsLow = order < 0 || (order === 0 && sourcePort <= destinationPort);
        const low = sourceIsLow ? sourceOffset : destinationOffset;
        const high = sourceIsLow ? destinationOffset : sourceOffset;
        let hash = hashSeed;
        for (let index = 0; index < 4; index += 1) {
            if (index * 4 < addressLength) {
                const lowWord = i32(buffer, low + index * 4);
                const highWord = i32(buffer, high + index * 4);
                key[word.low + index] = lowWord;
                key[word.high + index] = highWord;
                hash = flow_table_mix(flow_table_mix(hash, lowWord), highWord);
            }
            else {
                key[word.low + index] = 0;
                key[word.high + index] = 0;
            }
        }
        const ports = sourceIsLow ? (sourcePort << 16) | destinationPort : (destinationPort << 16) | sourcePort;
        key[word.ports] = ports;
        key[word.protocol] = (packet.ipVersion << 8) | packet.protocol;
        hash = flow_table_mix(flow_table_mix(hash, ports), packet.protocol);
        this.#keyHash = (hash ^ (hash >>> 15)) & 0x7fffffff;
        this.#sourceIsLow = sourceIsLow;
    }
}
/** Differs by process, so that packets that collide cannot be prepared. */
const hashSeed = (0,external_node_crypto_.randomInt)(0x7fffffff);
function flow_table_mix(hash, value) {
    const mixed = Math.imul(hash ^ value, 0x9e3779b1);
    return mixed ^ (mixed >>> 16);
}
/** Negative: the address at `one` is the smaller. By words, any fixed order will do. */
function compareAddresses(buffer, one, other, addressLength) {
    for (let at = 0; at < addressLength; at += 4) {
        const first = i32(buffer, one + at);
        const second = i32(buffer, other + at);
        if (first !== second)
            return first < second ? -1 : 1;
    }
    return 0;
}
/** Stands for the place at which a packet was seen: interface, packet type of SLL without an interface, VLAN tags, tunnel. */
function flowTag(packet) {
    const type = packet.linkType === 113 ? packet.packetType + 1 : 0;
    let tag = flow_table_mix(packet.interfaceId, type);
    if (packet.vlanKey !== 0)
        tag = flow_table_mix(tag + 1, packet.vlanKey);
    if (packet.tunnelDepth > 0)
        tag = flow_table_mix(flow_table_mix(tag + 2, packet.tunnelKind + packet.tunnelDepth * 16), packet.tunnelId);
    return tag;
}
function isPureSyn(packet) {
    return (packet.tcpFlags & (tcpFlag.syn | tcpFlag.ack)) === tcpFlag.syn;
}

;// CONCATENATED MODULE: ./src/analysis/flows/nat-legs.ts




/** How long a packet needs from one side of the NAT to the other. */
const nat_legs_maxDelayNs = 5_000_000;
/** A power of two. Of first packets that are this many apart, legs are not joined. */
const nat_legs_slotsCount = 4_096;
/** Beyond this, the backend of a connection is not known. */
const maxBackendsCount = 20_000;
/** The start of a datagram that tells it from others: id, flags and name of a DNS message. */
const maxFingerprintBytes = 32;
/**
 * Finds the second leg of a connection behind NAT: kube-proxy sends a connection to the address of a service on to a pod, and masquerading changes
 * the client's address. A capture of a node has both legs. The first packet of a connection passes both within microseconds, with the same payload;
 * of TCP, with the same sequence number and time stamp.
 */
class NatLegs {
    #table;
    #keys = new Int32Array(nat_legs_slotsCount);
    #checks = new Int32Array(nat_legs_slotsCount);
    #connections = new Int32Array(nat_legs_slotsCount);
    #times = new Float64Array(nat_legs_slotsCount).fill(Number.NEGATIVE_INFINITY);
    #others = new Map();
    constructor(table) {
        this.#table = table;
    }
    /** True: the packet, the first of the connection that it is assigned to or a SYN, was seen before or behind NAT in another connection. */
    isSecondLeg(packet) {
        const isTcp = packet.protocol === ipProtocol.tcp;
        if (!isTcp && packet.payloadCaptured < 4)
            return false;
        const check = isTcp ? packet.sequence | 0 : i32(packet.buffer, packet.payloadOffset);
        const key = isTcp ? segmentKey(packet) : datagramKey(packet);
        const slot = (key ^ (key >>> 12) ^ (key >>> 24)) & (nat_legs_slotsCount - 1);
        const ageNs = Math.abs(packet.timeNs - this.#times[slot]);
        if (this.#keys[slot] === key && this.#checks[slot] === check && ageNs <= nat_legs_maxDelayNs) {
            const first = this.#connections[slot];
            if (first === packet.connection)
                return false;
            if (this.#areLegs(first, packet))
                return true;
        }
        this.#keys[slot] = key;
        this.#checks[slot] = check;
        this.#connections[slot] = packet.connection;
        this.#times[slot] = packet.timeNs;
        return false;
    }
    /** `own`: the server of the leg that was seen first. Its backend is the pod behind the address of a service. */
    serverOf(connection, clientDirection, own) {
        const other = this.#others.get(connection);
        if (other === undefined || (other.keptDirection >= 0 && other.keptDirection !== clientDirection))
            return { server: own };
        if (other.end.address === own.address && other.end.port === own.port)
            return { server: own };
        return other.isFromKept ? { server: own, backend: other.end } : { server: other.end, backend: own };
    }
    forget(connection) {
        this.#others.delete(connection);
    }
    #areLegs(first, packet) {
        const { words } = this.#table;
        const at = first * flowWords;
        const other = packet.connection * flowWords;
        if (words[at + word.protocol] !== words[other + word.protocol])
            return false;
        // A client may send one datagram to several servers (musl does it with DNS queries), by the same interface.
        if (packet.protocol === ipProtocol.udp && words[at + word.tag0] === words[other + word.tag0])
            return false;
        const isSenderKept = this.#hasEnd(first, packet.connection, packet.direction);
        const isReceiverKept = this.#hasEnd(first, packet.connection, 1 - packet.direction);
        if (!isSenderKept && !isReceiverKept) {
            if (!packet.hasTimestamps || packet.protocol !== ipProtocol.tcp)
                return false;
            if ((packet.tcpFlags & (tcpFlag.syn | tcpFlag.ack)) !== tcpFlag.syn)
                return true;
        }
        const keptDirection = isSenderKept === isReceiverKept ? -1 : this.#direction(first, packet, isSenderKept);
        this.#note(first, packet, { keptDirection, isFromKept: isSenderKept || !isReceiverKept });
        return true;
    }
    /** The direction of the first leg in which the packet's sender sends, or its receiver. */
    #direction(first, { connection, direction }, isSender) {
        const end = this.#end(connection, isSender ? direction : 1 - direction);
        return this.#isSame(this.#end(first, 0), end) ? 0 : 1;
    }
    /** Whether an end of the first connection is the one that sends in this direction of the other. */
    #hasEnd(first, connection, direction) {
        const end = this.#end(connection, direction);
        return this.#isSame(this.#end(first, 0), end) || this.#isSame(this.#end(first, 1), end);
    }
    #end(connection, direction) {
        const { words } = this.#table;
        const at = connection * flowWords;
        const isLow = ((words[at + word.bits] & flowBit.firstIsLow) !== 0) === (direction === 0);
        const ports = words[at + word.ports];
        return { at: at + (isLow ? word.low : word.high), port: isLow ? ports >>> 16 : ports & 0xffff };
    }
    #isSame(one, other) {
        const { words } = this.#table;
        for (let index = 0; index < 4; index += 1)
            if (words[one.at + index] !== words[other.at + index])
                return false;
        return one.port === other.port;
    }
    /** Of several legs the last one is that of the pod, or the one with the address of the service. */
    #note(first, packet, kept) {
        if (this.#others.size >= maxBackendsCount && !this.#others.has(first))
            return;
        const { buffer, addressLength, sourceOffset, sourcePort, destinationOffset, destinationPort } = packet;
        const end = kept.isFromKept
            ? { address: addressText(buffer, destinationOffset, addressLength), port: destinationPort }
            : { address: addressText(buffer, sourceOffset, addressLength), port: sourcePort };
        this.#others.set(first, { end, ...kept });
    }
}
function segmentKey(packet) {
    const key = nat_legs_mix(nat_legs_mix(packet.sequence, packet.acknowledgment), packet.tcpFlags);
    return nat_legs_mix(nat_legs_mix(key, packet.payloadLength), packet.hasTimestamps ? packet.timestampValue : 0);
}
function datagramKey({ buffer, payloadOffset, payloadCaptured, payloadLength }) {
    const bytesCount = Math.min(payloadCaptured, maxFingerprintBytes);
    let key = payloadLength;
    for (let at = 0; at + 4 <= bytesCount; at += 4)
        key = nat_legs_mix(key, i32(buffer, payloadOffset + at));
    return key;
}
function nat_legs_mix(hash, value) {
    const mixed = Math.imul(hash ^ value, 0x85ebca6b);
    return mixed ^ (mixed >>> 13);
}

;// CONCATENATED MODULE: ./src/analysis/flows/redirects.ts




/** A sidecar has as many open ones as its application has connections; beyond this, the two halves of the oldest stay apart. */
const maxRedirectsCount = 20_000;
/** Servers whose address and port are held once for all connections to them. */
const maxSharedCount = 1_000;
/** How far an acknowledgment may be behind what the client has sent: the largest window. */
const maxUnacknowledgedBytes = 1 << 30;
/** 127.0.0.1 */
const loopback4 = 0x7f000001;
/** Of Envoy in Istio's sidecar, and of ztunnel in ambient mode. */
const outboundProxyPort = 15_001;
/**
 * Joins the halves of a connection that iptables redirects to a proxy in the pod (REDIRECT, as in Istio's sidecar and ambient modes, for DNS over UDP,
 * too): on the loopback interface, the client's packets go to 127.0.0.1, and the answers come from the address that the application connected to.
 */
class Redirects {
    #words;
    #byClient = new Map();
    /** where the application connected to, by connection */
    #servers = new Map();
    #sharedServers = new Map();
    constructor({ words }) {
        this.#words = words;
    }
    /**
     * Called before a packet is assigned. False: it is no answer of a known connection; otherwise it is assigned to it. `first`: it is the first one
     * that is known to be.
     */
    join(packet) {
        if (this.#byClient.size === 0)
            return false;
        const redirect = this.#byClient.get(packetKey(packet, packet.destinationOffset, packet.destinationPort));
        if (redirect === undefined)
            return false;
        const isFirst = redirect.server === undefined;
        if (redirect.server === undefined) {
            if (!answers(packet, redirect))
                return false;
            redirect.server = this.#share({
                address: addressText(packet.buffer, packet.sourceOffset, packet.addressLength),
                port: packet.sourcePort,
                redirectPort: redirect.port,
            });
            this.#servers.set(redirect.connection, redirect.server);
        }
        else if (packet.sourcePort !== redirect.server.port)
            return false;
        packet.connection = redirect.connection;
        packet.direction = redirect.direction;
        return isFirst ? 'first' : true;
    }
    /** Called after a packet is assigned to a connection of its own. */
    note(packet) {
        if (!isToLoopback(packet))
            return;
        const key = packetKey(packet, packet.sourceOffset, packet.sourcePort);
        const known = this.#byClient.get(key);
        const redirect = known?.connection === packet.connection ? known : this.#begin(packet, key);
        if (redirect === undefined)
            return;
        const sent = packet.payloadLength + ((packet.tcpFlags & (tcpFlag.syn | tcpFlag.fin)) === 0 ? 0 : 1);
        redirect.next = (packet.sequence + sent) | 0;
    }
    /** An answer to the loopback address is no redirection: without its SYN, a connection is one only where it goes to the port of a proxy. */
    #begin(packet, key) {
        const isSyn = (packet.tcpFlags & (tcpFlag.syn | tcpFlag.ack)) === tcpFlag.syn;
        const isTcp = packet.protocol === ipProtocol.tcp;
        if (isTcp && !isSyn && packet.destinationPort !== outboundProxyPort)
            return undefined;
        this.#byClient.delete(key);
        for (const oldest of this.#byClient.keys()) {
            if (this.#byClient.size >= maxRedirectsCount)
                this.#byClient.delete(oldest);
            break;
        }
        const { connection, direction, destinationPort } = packet;
        const redirect = { connection, direction: 1 - direction, port: destinationPort, next: 0, server: undefined };
        this.#byClient.set(key, redirect);
        return redirect;
    }
    /** Where the client connected to, before the redirection. */
    serverOf(connection) {
        return this.#servers.get(connection);
    }
    /** The connection's number will be that of another one. */
    forget(connection) {
        this.#servers.delete(connection);
        if (this.#byClient.size === 0)
            return;
        const at = connection * flowWords;
        const ports = this.#words[at + word.ports];
        const isIpv4 = this.#words[at + word.protocol] >> 8 === 4;
        for (const [end, port] of [
            [word.low, ports >>> 16],
            [word.high, ports & 0xffff],
        ]) {
            const [first = 0, second = 0, third = 0, fourth = 0] = this.#words.subarray(at + end, at + end + 4);
            const key = endKey([first, second, third, fourth], isIpv4, port);
            if (this.#byClient.get(key)?.connection === connection)
                this.#byClient.delete(key);
        }
    }
    #share(server) {
        const key = `${server.port} ${server.address} ${server.redirectPort}`;
        const known = this.#sharedServers.get(key);
        if (known !== undefined)
            return known;
        if (this.#sharedServers.size < maxSharedCount)
            this.#sharedServers.set(key, server);
        return server;
    }
}
/** From an address of the pod to the loopback address. */
function isToLoopback({ buffer, addressLength, sourceOffset, destinationOffset }) {
    if (addressLength === 4)
        return i32(buffer, destinationOffset) === loopback4 && buffer[sourceOffset] !== 127;
    return isLoopback6(buffer, destinationOffset) && !isLoopback6(buffer, sourceOffset);
}
function isLoopback6(buffer, at) {
    return (buffer[at] === 0 &&
        i32(buffer, at + 12) === 1 &&
        (i32(buffer, at) | i32(buffer, at + 4) | i32(buffer, at + 8)) === 0);
}
/** A segment acknowledges what the client has sent. The port of a client that has asked by UDP is that of nobody else. */
function answers({ protocol, tcpFlags, acknowledgment }, { next }) {
    if (protocol !== ipProtocol.tcp)
        return true;
    if ((tcpFlags & tcpFlag.ack) === 0)
        return false;
    const unacknowledged = (next - acknowledgment) | 0;
    return unacknowledged >= 0 && unacknowledged < maxUnacknowledgedBytes;
}
function packetKey({ buffer, addressLength }, at, port) {
    if (addressLength === 4)
        return endKey([i32(buffer, at), 0, 0, 0], true, port);
    return endKey([i32(buffer, at), i32(buffer, at + 4), i32(buffer, at + 8), i32(buffer, at + 12)], false, port);
}
/** The protocol is not in it: a client that uses one port for both has two connections, of which the later one is joined. */
function endKey(words, isIpv4, port) {
    return isIpv4 ? (words[0] >>> 0) * 65_536 + port : `${words.join(' ')} ${port}`;
}

;// CONCATENATED MODULE: ./src/analysis/flows/connection-tracker.ts








/** The packet type of LINUX_SLL and LINUX_SLL2: to another host. */
const toOtherHost = 3;
const addressBytes = Buffer.alloc(16);
/** A connection without packets for this long was idle. */
const minIdleNs = 3e9;
const bothDirections = 3;
/** A datagram and those in its tunnels. */
const maxFrameFlowsCount = 8;
/**
 * Assigns each TCP segment and UDP datagram to its connection, judges TCP segments, and hands the packet on to the trackers. A later fragment, a
 * cut-off header and the datagram that an ICMP error quotes belong to no connection.
 */
class ConnectionTracker {
    table;
    tcp;
    /** UDP flows that have ended: whole after `end` */
    udpStreams = 0;
    /** datagrams that were seen at another place before */
    copiedPackets = 0;
    /** packets that were not analyzed, see `isSingleHost` */
    otherHostsPackets = 0;
    nowNs = 0;
    #copies = new CopyDetector();
    #redirects;
    #natLegs;
    #keyLikeTshark;
    #isSingleHost;
    #trackers = [];
    /** of all trackers: most packets are handed to none */
    #wantedTraits = 0;
    /** connection * 2 + direction of each datagram of the frame */
    #frameFlows = new Int32Array(maxFrameFlowsCount);
    #frameFlowsCount = 0;
    constructor(options) {
        this.#keyLikeTshark = options.keyLikeTshark ?? false;
        this.#isSingleHost = options.isSingleHost ?? false;
        this.table = new FlowTable({
            maxFlowsCount: options.maxConnectionsCount ?? 250_000,
            keyLikeTshark: options.keyLikeTshark ?? false,
            onEvicted: (flow) => this.#evict(flow),
        });
        this.tcp = new TcpTracker(this.table);
        this.#redirects = new Redirects(this.table);
        this.#natLegs = new NatLegs(this.table);
    }
    /** To be called before the first packet. The trackers get packets and the ends of connections in this order. */
    handTo(trackers) {
        this.#trackers = trackers;
        for (const tracker of trackers)
            if (tracker.onPacket !== undefined)
                this.#wantedTraits |= tracker.wantedTraits ?? -1;
    }
    onPacket(packet) {
        if (this.#isSingleHost && packet.packetType === toOtherHost) {
            this.otherHostsPackets += 1;
            return;
        }
        const { protocol } = packet;
        this.nowNs = packet.timeNs;
        let traits = trait.other;
        if (packet.transportOffset >= 0 && (protocol === ipProtocol.tcp || protocol === ipProtocol.udp)) {
            if (packet.inIcmpError)
                this.#noteIcmpError(packet);
            else {
                this.#assign(packet);
                traits = packet.payloadCaptured > 0 ? trait.payload : trait.bare;
                if ((packet.tcpFlags & (tcpFlag.fin | tcpFlag.rst)) !== 0)
                    traits |= trait.close;
            }
        }
        if (packet.hasFragmentHeader || packet.vlanCount > 0 || packet.tunnelDepth > 0)
            traits |= trait.wrapped;
        packet.traits = traits;
        if ((traits & this.#wantedTraits) !== 0)
            this.#handOver(packet);
    }
    #handOver(packet) {
        for (const tracker of this.#trackers)
            if ((packet.traits & (tracker.wantedTraits ?? -1)) !== 0)
                tracker.onPacket?.(packet);
    }
    facts(connection) {
        const { words, doubles } = this.table;
        const at = connection * flowWords;
        const client = this.clientDirection(connection);
        const own = this.#redirects.serverOf(connection) ?? this.#endpoint(connection, 1 - client);
        const { server, backend } = this.#natLegs.serverOf(connection, client, own);
        return {
            protocol: words[at + word.protocol] & 0xff,
            client: this.#endpoint(connection, client),
            server,
            backend,
            isClientKnown: (words[at + word.bits] & flowBit.clientKnown) !== 0,
            interfaceId: words[at + word.interfaceId],
            vlan: words[at + word.vlan],
            tunnelId: words[at + word.tunnelId],
            firstFrame: words[at + word.firstFrame],
            firstTimeNs: doubles[connection * flowDoubles + layout_double.firstTime],
            lastTimeNs: doubles[connection * flowDoubles + layout_double.lastTime],
        };
    }
    clientDirection(connection) {
        return (this.table.words[connection * flowWords + word.bits] & flowBit.clientIs1) !== 0 ? 1 : 0;
    }
    seenDirections(connection) {
        return (this.table.words[connection * flowWords + word.bits] >>> seenShift) & 3;
    }
    firstTimeNs(connection) {
        return this.table.doubles[connection * flowDoubles + layout_double.firstTime];
    }
    initialRoundTripNs(connection) {
        const roundTripNs = this.table.doubles[connection * flowDoubles + layout_double.roundTrip];
        return roundTripNs < 0 ? undefined : roundTripNs;
    }
    /** A proxy in the pod answers in place of the server. */
    isRedirected(connection) {
        return this.#redirects.serverOf(connection) !== undefined;
    }
    /** Frames of both directions. */
    packets(connection) {
        const at = connection * flowWords + word.directions + directionWord.packets;
        return this.table.words[at] + this.table.words[at + directionWords];
    }
    /** Ends all connections: the totals are whole afterwards. */
    end() {
        for (let flow = 0; flow < this.table.count; flow += 1)
            this.#end(flow);
    }
    /**
     * Called after all packets of a frame: counts the frame in the connections that were found in it. As in tshark's filters of the ground truth,
     * a frame with ICMP in it counts for none.
     */
    onFrameEnd(packet) {
        const count = this.#frameFlowsCount;
        this.#frameFlowsCount = 0;
        if ((packet.layers & (decoded_packet_layer.icmp | decoded_packet_layer.icmpv6)) !== 0)
            return;
        const { words, doubles } = this.table;
        for (let index = 0; index < count; index += 1) {
            const flow = this.#frameFlows[index] >> 1;
            const direction = this.#frameFlows[index] & 1;
            words[flow * flowWords + word.directions + direction * directionWords + directionWord.packets] += 1;
            const block = flow * flowDoubles + layout_double.directions + direction * directionDoubles;
            doubles[block + directionDouble.wireBytes] += packet.wireLength;
        }
    }
    #assign(packet) {
        let isJoined = false;
        if (this.#keyLikeTshark)
            this.table.assign(packet);
        else
            isJoined = this.#assignLegs(packet);
        this.#noteIdleTime(packet);
        if (packet.protocol === ipProtocol.tcp)
            this.tcp.onSegment(packet);
        // A SYN may have begun another connection with the same ports.
        if (!isJoined && !this.#keyLikeTshark)
            this.#redirects.note(packet);
        const { words, doubles } = this.table;
        const { connection, direction } = packet;
        const at = connection * flowWords;
        const doublesAt = connection * flowDoubles;
        const doubleBlock = doublesAt + layout_double.directions + direction * directionDoubles;
        words[at + word.lastFrame] = packet.frameNumber;
        words[at + word.bits] |= 1 << (seenShift + direction);
        if (this.#frameFlowsCount < maxFrameFlowsCount)
            this.#frameFlows[this.#frameFlowsCount++] = connection * 2 + direction;
        doubles[doublesAt + layout_double.lastTime] = packet.timeNs;
        doubles[doubleBlock + directionDouble.lastTime] = packet.timeNs;
        doubles[doubleBlock + directionDouble.payloadBytes] += packet.payloadLength;
    }
    /** Assigns a packet to its connection, of which a capture may have more than one view. True: it is an answer from behind a redirection. */
    #assignLegs(packet) {
        const joined = this.#redirects.join(packet);
        if (joined === 'first')
            this.#merge(packet);
        if (joined === false)
            this.table.assign(packet);
        this.#findCopy(packet);
        return joined !== false;
    }
    /** Answers that were seen before the client's half of the connection are in a connection of their own: it is forgotten. */
    #merge(packet) {
        const early = this.table.findKnown(packet);
        if (early < 0 || early === packet.connection || this.seenDirections(early) === bothDirections)
            return;
        this.table.words[early * flowWords + word.bits] |= flowBit.copy;
        for (const tracker of this.#trackers)
            tracker.onConnectionMerged?.(early);
    }
    /** A flow whose first packet is a copy is a second view of the flow that has the original: statistics count the first view only. */
    #findCopy(packet) {
        const { words } = this.table;
        const at = packet.connection * flowWords;
        // What passes the second place first is still counted at the first one: packets of a second view are not compared.
        let isCopy = (words[at + word.bits] & flowBit.copy) !== 0;
        if (!isCopy) {
            const isFirst = words[at + word.lastFrame] === 0;
            isCopy = this.#copies.isCopy(packet, words[at + word.hash]);
            if (!isCopy && (isFirst || connection_tracker_isPureSyn(packet)))
                isCopy = this.#natLegs.isSecondLeg(packet);
            if (isCopy && isFirst)
                words[at + word.bits] |= flowBit.copy;
        }
        packet.isCopy = isCopy;
        if (packet.isCopy)
            this.copiedPackets += 1;
    }
    #noteIdleTime({ connection, timeNs }) {
        const { words, doubles } = this.table;
        const at = connection * flowDoubles;
        const idleNs = timeNs - doubles[at + layout_double.lastTime];
        if (idleNs < minIdleNs || words[connection * flowWords + word.lastFrame] === 0)
            return;
        doubles[at + layout_double.idleBefore] = idleNs;
        doubles[at + layout_double.idleEnd] = timeNs;
    }
    #noteIcmpError(packet) {
        const flow = this.table.findKnown(packet);
        packet.quotedConnection = flow;
        if (flow < 0)
            return;
        this.table.words[flow * flowWords + word.bits] |= flowBit.icmpError;
        // The same error comes to each leg of a connection behind NAT.
        packet.isCopy = (this.table.words[flow * flowWords + word.bits] & flowBit.copy) !== 0;
    }
    #endpoint(connection, direction) {
        const { words } = this.table;
        const at = connection * flowWords;
        const isLow = ((words[at + word.bits] & flowBit.firstIsLow) !== 0) === (direction === 0);
        const addressLength = words[at + word.protocol] >> 8 === 4 ? 4 : 16;
        for (let index = 0; index < 4; index += 1)
            addressBytes.writeInt32BE(words[at + (isLow ? word.low : word.high) + index], index * 4);
        const ports = words[at + word.ports];
        return { address: addressText(addressBytes, 0, addressLength), port: isLow ? ports >>> 16 : ports & 0xffff };
    }
    #evict(flow) {
        this.#end(flow);
        for (const tracker of this.#trackers)
            tracker.onConnectionEvicted?.(flow);
        this.#redirects.forget(flow);
        this.#natLegs.forget(flow);
    }
    #end(flow) {
        const { words } = this.table;
        if ((words[flow * flowWords + word.bits] & flowBit.copy) !== 0)
            return;
        const isTcp = (words[flow * flowWords + word.protocol] & 0xff) === ipProtocol.tcp;
        for (const tracker of this.#trackers)
            tracker.onConnectionEnd?.(flow);
        if (isTcp)
            this.tcp.onConnectionEnd(flow);
        else if (this.packets(flow) > 0)
            this.udpStreams += 1;
    }
}
function connection_tracker_isPureSyn({ tcpFlags }) {
    return (tcpFlags & (tcpFlag.syn | tcpFlag.ack)) === tcpFlag.syn;
}

;// CONCATENATED MODULE: ./src/analysis/frame-totals.ts

const maxListedCount = 4_096;
/** The kernel stamps packets on several CPUs and sorts them little: on `any`, times go back by microseconds while nothing is wrong. */
const clockStepNs = 1e6;
/** Counts frames, their sizes, and what was found in them. */
class FrameTotals {
    wantedTraits = trait.wrapped;
    bytesOnWire = 0;
    bytesCaptured = 0;
    snapped = 0;
    /** the longest packet that was cut, as it was captured, bytes */
    snapBytes = 0;
    frames = 0;
    firstNs = Number.POSITIVE_INFINITY;
    lastNs = Number.NEGATIVE_INFINITY;
    timeGoesBack = 0;
    /** how often the time goes back so far that a clock must have been set */
    clockSetBack = 0;
    ipFragments = 0;
    /** frames that hold the protocol, by the names of `layer` */
    layerCounts = new Array(32).fill(0);
    interfaces = new Map();
    packetTypes = new Map();
    linkTypes = new Map();
    vlans = new Map();
    /** by the text that tshark shows: VXLAN in decimal, Geneve in hexadecimal */
    vnis = new Map();
    /** frames with TCP or UDP and without ICMP */
    tcpFrames = 0;
    udpFrames = 0;
    #previousNs = Number.NEGATIVE_INFINITY;
    #isFragment = false;
    // Frames of the same link type and interface in a row, not yet in the maps.
    #runFrames = 0;
    #runLinkType = -1;
    #runInterfaceId = -1;
    onPacket(packet) {
        if (packet.inIcmpError)
            return;
        if (packet.hasFragmentHeader)
            this.#isFragment = true;
        if (packet.vlanCount > 0) {
            const isProvider = packet.outerVlanType === 0x88a8; // tshark's vlan.id has only the tags of 802.1Q
            if (packet.vlanCount > 1 || !isProvider)
                add(this.vlans, packet.vlan);
            if (packet.vlanCount > 1 && !isProvider)
                add(this.vlans, packet.outerVlan);
        }
        if (packet.tunnelKind === tunnel.vxlan)
            add(this.vnis, String(packet.tunnelId));
        else if (packet.tunnelKind === tunnel.geneve)
            add(this.vnis, `0x${packet.tunnelId.toString(16).padStart(6, '0')}`);
    }
    /** Called after all of the frame's packets were handed over. */
    onFrame(captured, packet) {
        this.frames += 1;
        this.bytesCaptured += packet.capturedLength;
        this.bytesOnWire += captured.originalLength;
        if (packet.capturedLength < captured.originalLength) {
            this.snapped += 1;
            if (packet.capturedLength > this.snapBytes)
                this.snapBytes = packet.capturedLength;
        }
        if (packet.packetType >= 0)
            add(this.packetTypes, packet.packetType);
        this.#countTime(packet.timeNs);
        this.#countLayers(packet.layers);
        if (packet.linkType !== this.#runLinkType || packet.interfaceId !== this.#runInterfaceId)
            this.#startRun(packet);
        this.#runFrames += 1;
        if (this.#isFragment)
            this.ipFragments += 1;
        this.#isFragment = false;
    }
    /** Must be called after the last frame. */
    end() {
        if (this.#runFrames === 0)
            return;
        add(this.linkTypes, this.#runLinkType, this.#runFrames);
        add(this.interfaces, this.#runInterfaceId, this.#runFrames);
        this.#runFrames = 0;
    }
    #startRun(packet) {
        this.end();
        this.#runLinkType = packet.linkType;
        this.#runInterfaceId = packet.interfaceId;
    }
    #countTime(timeNs) {
        if (timeNs < this.firstNs)
            this.firstNs = timeNs;
        if (timeNs > this.lastNs)
            this.lastNs = timeNs;
        if (timeNs < this.#previousNs)
            this.timeGoesBack += 1;
        if (this.#previousNs - timeNs >= clockStepNs)
            this.clockSetBack += 1;
        this.#previousNs = timeNs;
    }
    #countLayers(layers) {
        for (let rest = layers; rest !== 0; rest &= rest - 1)
            this.layerCounts[31 - Math.clz32(rest & -rest)] += 1;
        if ((layers & (decoded_packet_layer.icmp | decoded_packet_layer.icmpv6)) !== 0)
            return;
        if ((layers & decoded_packet_layer.tcp) !== 0)
            this.tcpFrames += 1;
        if ((layers & decoded_packet_layer.udp) !== 0)
            this.udpFrames += 1;
    }
}
function add(counts, key, added = 1) {
    const count = counts.get(key);
    if (count !== undefined)
        counts.set(key, count + added);
    else if (counts.size < maxListedCount)
        counts.set(key, added);
}

;// CONCATENATED MODULE: ./src/analysis/analysis.ts



/** Analyses the packets of one capture as they arrive: a consumer of `CaptureReader`. Memory is bounded, nothing throws. */
class Analysis {
    frames = new FrameTotals();
    connections;
    decoder;
    #isEnded = false;
    /** `trackers` get the decoded packets that they want after the connection and the events are set. */
    constructor(options = {}, trackers = () => []) {
        this.connections = new ConnectionTracker(options);
        this.connections.handTo([this.frames, ...trackers(this.connections)]);
        this.decoder = new PacketDecoder(this.connections);
    }
    onPacket(captured) {
        this.decoder.decode(captured);
        this.connections.onFrameEnd(this.decoder.packet);
        this.frames.onFrame(captured, this.decoder.packet);
    }
    /** Ends all connections that are open: the totals are then whole. */
    end() {
        if (this.#isEnded)
            return;
        this.#isEnded = true;
        this.frames.end();
        this.connections.end();
    }
}

;// CONCATENATED MODULE: ./src/analysis/application/bounded-map.ts
/** The share of the entries that are given up at once. */
const evictedShare = 1 / 16;
/** A map that gives up its oldest entries when it is full. */
class BoundedMap {
    #entries = new Map();
    #maxCount;
    constructor(maxCount) {
        this.#maxCount = maxCount;
    }
    get(key) {
        return this.#entries.get(key);
    }
    /** Adds an entry, or changes one in its place. Call `makeRoom` before an entry is added. */
    set(key, value) {
        this.#entries.set(key, value);
    }
    delete(key) {
        this.#entries.delete(key);
    }
    values() {
        return this.#entries.values();
    }
    clear() {
        this.#entries.clear();
    }
    /**
     * Where the map is full: removes the oldest sixteenth of it. One entry at a time would take a time that grows with the map: to find the oldest
     * one, the places of all that were deleted before it are walked over.
     */
    makeRoom(onEvicted) {
        if (this.#entries.size < this.#maxCount)
            return;
        let left = Math.ceil(this.#maxCount * evictedShare);
        for (const [key, value] of this.#entries) {
            this.#entries.delete(key);
            onEvicted(value, key);
            left -= 1;
            if (left === 0)
                return;
        }
    }
}

;// CONCATENATED MODULE: ./src/analysis/text-cache.ts
const text_cache_slotsCount = 2_048;
const maxTextBytes = 256;
/**
 * The texts that were made last. Names come again and again in a capture: the same string for each saves memory, and a map finds it faster, as a
 * string keeps its hash.
 */
const text_cache_texts = new Array(text_cache_slotsCount).fill('');
const scratch = Buffer.alloc(maxTextBytes);
/** One character for each byte from `start` to before `end`, which must be in the array. At most 256 bytes are taken. */
function textOf(bytes, start, end) {
    const length = Math.min(end - start, maxTextBytes);
    let hash = length;
    for (let index = 0; index < length; index += 1)
        hash = Math.imul(hash ^ bytes[start + index], 0x9e3779b1);
    const slot = (hash ^ (hash >>> 15)) & (text_cache_slotsCount - 1);
    const known = text_cache_texts[slot];
    if (known.length === length && isText(known, bytes, start))
        return known;
    for (let index = 0; index < length; index += 1)
        scratch[index] = bytes[start + index];
    const text = scratch.toString('latin1', 0, length);
    text_cache_texts[slot] = text;
    return text;
}
function isText(text, bytes, start) {
    for (let index = 0; index < text.length; index += 1)
        if (text.charCodeAt(index) !== bytes[start + index])
            return false;
    return true;
}

;// CONCATENATED MODULE: ./src/analysis/application/dns-message.ts


const headerBytes = 12;
const flagResponse = 0x8000;
const flagTruncated = 0x0200;
/** as many as Wireshark follows */
const maxPointersCount = 255;
const maxNameBytes = 255;
/** Names that RFC 1035 and 6895 give the codes; the others are shown as numbers. */
const rcodeNames = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];
const rcodeNxdomain = 3;
function rcodeName(rcode) {
    return rcodeNames[rcode] ?? String(rcode);
}
/** A DNS message, filled again for each one. */
class DnsMessage {
    id = 0;
    isResponse = false;
    isTruncated = false;
    rcode = 0;
    questionCount = 0;
    answerCount = 0;
    /** of the first question, without the final dot: `<Root>` for the root, `?` without a question */
    name = '?';
    /** of the first question: 1 A, 28 AAAA; 0 without a question */
    questionType = 0;
    /** every record is inside the bytes */
    isComplete = false;
}
/**
 * Whether a UDP payload on a port that is not DNS's looks like DNS, by Wireshark's heuristic: a standard query with one question and nothing
 * else, or a response with a plausible number of records.
 */
function looksLikeDns(bytes, start, end) {
    if (end - start <= headerBytes)
        return false;
    const flags = u16(bytes, start + 2);
    if ((flags & 0x7800) !== 0 || u16(bytes, start + 10) > 10)
        return false;
    const questions = u16(bytes, start + 4);
    const answers = u16(bytes, start + 6);
    const authorities = u16(bytes, start + 8);
    if ((flags & flagResponse) === 0)
        return questions === 1 && answers === 0 && authorities === 0;
    return questions <= 1 && answers <= 100 && authorities <= 10;
}
/** Reads the message from `start` up to `end`. Returns false where not even the header is there: then `message` says nothing. */
function readDnsMessage(message, bytes, start, end) {
    if (end > bytes.length || end - start < 4)
        return false;
    message.id = u16(bytes, start);
    const flags = u16(bytes, start + 2);
    message.isResponse = (flags & flagResponse) !== 0;
    message.isTruncated = (flags & flagTruncated) !== 0;
    message.rcode = flags & 0xf;
    message.questionCount = 0;
    message.answerCount = 0;
    message.name = '?';
    message.questionType = 0;
    message.isComplete = false;
    if (end - start < headerBytes)
        return true;
    message.questionCount = u16(bytes, start + 4);
    message.answerCount = u16(bytes, start + 6);
    const recordCount = message.answerCount + u16(bytes, start + 8) + u16(bytes, start + 10);
    let at = start + headerBytes;
    for (let index = 0; index < message.questionCount; index++) {
        if (index === 0)
            at = readName(message, bytes, { at, start, end });
        else
            at = skipName(bytes, at, end);
        if (at < 0 || at + 4 > end)
            return true;
        if (index === 0)
            message.questionType = u16(bytes, at);
        at += 4;
    }
    message.isComplete = hasAllRecords(bytes, { at, start, end }, recordCount);
    return true;
}
function hasAllRecords(bytes, place, recordCount) {
    let at = place.at;
    // Each record has at least eleven bytes: the loop ends with the message.
    for (let index = 0; index < recordCount; index++) {
        at = skipName(bytes, at, place.end);
        if (at < 0 || at + 10 > place.end)
            return false;
        at += 10 + u16(bytes, at + 8);
        if (at > place.end)
            return false;
    }
    return true;
}
/** Position after the name, -1 where it goes beyond `end` or is not a name. */
function skipName(bytes, start, end) {
    let at = start;
    while (at < end) {
        const length = bytes[at++];
        if (length === 0)
            return at;
        if (length >= 0xc0)
            return at < end ? at + 1 : -1;
        if (length >= 0x40)
            return -1;
        at += length;
    }
    return -1;
}
// A Buffer as the packets are: code that reads bytes stays monomorphic.
const nameCharacters = Buffer.alloc(maxNameBytes);
/** Fills `message.name`. Returns the position after the name, -1 where there is no whole name. */
function readName(message, bytes, place) {
    let at = place.at;
    let after = -1;
    let nameLength = 0;
    let pointersLeft = maxPointersCount;
    while (at < place.end) {
        const length = bytes[at++];
        if (length === 0) {
            message.name = nameLength === 0 ? '<Root>' : textOf(nameCharacters, 0, nameLength);
            return after < 0 ? at : after;
        }
        if (length >= 0xc0) {
            if (at >= place.end || pointersLeft-- === 0)
                return -1;
            if (after < 0)
                after = at + 1;
            at = place.start + (((length & 0x3f) << 8) | bytes[at]);
            continue;
        }
        if (length >= 0x40 || at + length > place.end || nameLength + 1 + length > maxNameBytes)
            return -1;
        if (nameLength > 0)
            nameCharacters[nameLength++] = 0x2e;
        for (let index = 0; index < length; index++)
            nameCharacters[nameLength++] = bytes[at++];
    }
    return -1;
}

;// CONCATENATED MODULE: ./src/analysis/application/dns-race.ts

/** glibc sends A and AAAA from one socket right after each other. */
const maxPairGapNs = 10e6;
/** glibc's time-out is 5 s. */
const minTimeoutNs = 4.5e9;
const maxTimeoutNs = 5.5e9;
const maxConnectionsCount = 10_000;
const maxExamplesCount = 5;
/**
 * Finds the race of conntrack: of two queries that one socket sent at once, one gets no answer, and the client sends again after 5 s
 * (kubernetes/kubernetes#56903, lambda.lt "Racy conntrack and DNS lookup timeouts").
 */
class DnsRaceDetector {
    #pairs = new BoundedMap(maxConnectionsCount);
    examples = [];
    count = 0;
    /** `earlier`: the last query of this connection with the same id, before it is replaced */
    onQuery(context, earlier) {
        if (earlier === undefined)
            return;
        const waitedNs = context.timeNs - earlier.timeNs;
        if (waitedNs < minTimeoutNs || waitedNs > maxTimeoutNs)
            return;
        const pair = this.#pairs.get(context.connection);
        if (pair?.second === undefined || pair.isCounted)
            return;
        if (pair.first !== earlier && pair.second !== earlier)
            return;
        if (pair.first.isAnswered === pair.second.isAnswered)
            return;
        pair.isCounted = true;
        this.count++;
        if (this.examples.length >= maxExamplesCount)
            return;
        const lost = pair.first.isAnswered ? pair.second : pair.first;
        this.examples.push({
            name: lost.name,
            client: context.client,
            server: lost.server,
            frames: [lost.frameNumber, context.frameNumber],
            timeNs: lost.timeNs,
        });
    }
    onNewTransaction(context, transaction) {
        const pair = this.#pairs.get(context.connection);
        if (pair !== undefined && pair.second === undefined && isPair(pair.first, transaction)) {
            pair.second = transaction;
            return;
        }
        this.#pairs.delete(context.connection);
        this.#pairs.makeRoom(() => undefined);
        this.#pairs.set(context.connection, { first: transaction, second: undefined, isCounted: false });
    }
}
function isPair(first, second) {
    const gapNs = second.timeNs - first.timeNs;
    return gapNs >= 0 && gapNs <= maxPairGapNs && first.name === second.name && first.questionType !== second.questionType;
}

;// CONCATENATED MODULE: ./src/analysis/application/dns-search.ts

/** The next name of the search list is tried at once. */
const followUpWindowNs = 2e9;
/** negative answers that are remembered for each client, and clients */
const maxRecentCount = 16;
const maxClientsCount = 1000;
const maxBasesCount = 1000;
const maxSuffixesCount = 200;
/** A suffix that is not of the cluster's domain counts when this many names were tried with it. */
const learnedBasesCount = 2;
/**
 * Finds the queries that a resolver's search list wastes: with `ndots:5` a name such as api.example.com is tried with each suffix of the
 * cluster first. An NXDOMAIN for `base.suffix` that is followed within 2 s by a query of the same client for `base` or `base.other` is wasted.
 */
class DnsSearchDetector {
    #recent = new Map();
    #names = new Map();
    #suffixes = new Map();
    wastedCount = 0;
    onQuery(message, context) {
        const recent = this.#recent.get(context.client);
        if (recent === undefined)
            return;
        for (const answer of recent) {
            if (answer.pendingCount === 0 || answer.name === message.name)
                continue;
            if (context.timeNs - answer.timeNs > followUpWindowNs)
                continue;
            const base = commonBase(answer.name, message.name);
            if (base === undefined)
                continue;
            const count = answer.pendingCount;
            answer.pendingCount = 0;
            this.#onWasted(base, answer, { count, client: context.client });
        }
    }
    onResponse(message, context) {
        if (message.rcode === rcodeNxdomain)
            this.#remember(message.name, context);
        else if (message.rcode === 0 && this.#names.size > 0)
            this.#onAnswered(message.name, context);
    }
    finish() {
        this.#recent.clear();
        this.#suffixes.clear();
    }
    /** The names that cost most, at most `limitCount`. */
    top(limitCount) {
        return [...this.#names.values()]
            .filter(({ wastedCount }) => wastedCount > 0)
            .sort((a, b) => b.wastedCount - a.wastedCount || a.firstFrame - b.firstFrame)
            .slice(0, limitCount);
    }
    /** Names that were tried with the search list. */
    get nameCount() {
        return this.#names.size;
    }
    /** Queries of such names for each one that found something; undefined where none did. */
    amplification() {
        let answered = 0;
        for (const { answeredCount } of this.#names.values())
            answered += answeredCount;
        return answered === 0 ? undefined : (this.wastedCount + answered) / answered;
    }
    #remember(name, context) {
        let recent = this.#recent.get(context.client);
        if (recent === undefined) {
            if (this.#recent.size >= maxClientsCount)
                return;
            recent = [];
            this.#recent.set(context.client, recent);
        }
        const known = recent.find((answer) => answer.name === name);
        if (known !== undefined) {
            // A second answer for the same name (A and AAAA) after the next name was tried already is as wasted as the first.
            if (known.pendingCount === 0 && context.timeNs - known.timeNs > followUpWindowNs)
                known.timeNs = context.timeNs;
            known.pendingCount++;
            return;
        }
        if (recent.length >= maxRecentCount)
            recent.shift();
        recent.push({
            name,
            frameNumber: context.frameNumber,
            server: context.server,
            timeNs: context.timeNs,
            pendingCount: 1,
        });
    }
    #onWasted(base, answer, by) {
        const suffix = answer.name.slice(base.length + 1);
        if (isClusterSuffix(suffix)) {
            this.#count(base, answer, by);
            return;
        }
        let known = this.#suffixes.get(suffix);
        if (known === undefined) {
            if (this.#suffixes.size >= maxSuffixesCount)
                return;
            known = { bases: new Set(), held: [] };
            this.#suffixes.set(suffix, known);
        }
        if (known.bases.size < learnedBasesCount)
            known.bases.add(base);
        if (known.bases.size < learnedBasesCount) {
            if (known.held.length < maxRecentCount)
                known.held.push({ base, answer, ...by });
            return;
        }
        for (const held of known.held.splice(0))
            this.#count(held.base, held.answer, held);
        this.#count(base, answer, by);
    }
    #count(base, answer, by) {
        this.wastedCount += by.count;
        const key = `${by.client} ${base}`;
        const known = this.#names.get(key);
        if (known !== undefined) {
            known.wastedCount += by.count;
            known.lastTimeNs = Math.max(known.lastTimeNs, answer.timeNs);
        }
        else if (this.#names.size < maxBasesCount) {
            this.#names.set(key, {
                base,
                client: by.client,
                server: answer.server,
                wastedCount: by.count,
                answeredCount: 0,
                firstFrame: answer.frameNumber,
                firstTimeNs: answer.timeNs,
                lastTimeNs: answer.timeNs,
            });
        }
    }
    #onAnswered(name, context) {
        // The name itself, or the name with a suffix: every prefix of whole labels may be a base.
        for (let end = name.length; end > 0; end = name.lastIndexOf('.', end - 1)) {
            const known = this.#names.get(`${context.client} ${name.slice(0, end)}`);
            if (known === undefined)
                continue;
            known.answeredCount++;
            return;
        }
    }
}
/** The labels with which both begin, where `failed` has more labels after them; undefined where there are none. */
function commonBase(failed, next) {
    const shorter = Math.min(failed.length, next.length);
    let same = 0;
    while (same < shorter && failed.charCodeAt(same) === next.charCodeAt(same))
        same++;
    if (same === next.length)
        return failed[same] === '.' ? next : undefined;
    const dot = same === failed.length && next[same] === '.' ? same : failed.lastIndexOf('.', same - 1);
    return dot > 0 && dot < failed.length ? failed.slice(0, dot) : undefined;
}
/** The three suffixes that the kubelet writes: the namespace's, the services' and the cluster's. */
function isClusterSuffix(suffix) {
    return /^(?:(?:[^.]+\.)?svc\.)?cluster\.local$/i.test(suffix);
}

;// CONCATENATED MODULE: ./src/analysis/application/duration-stats.ts

/** Durations in ns, summed up in ms with three decimals. */
class DurationStats {
    #percentiles;
    /** `maxSamplesCount`: above this the percentiles are of a part of the durations */
    constructor(maxSamplesCount) {
        this.#percentiles = new Percentiles(maxSamplesCount);
    }
    add(durationNs) {
        this.#percentiles.add(durationNs);
    }
    get count() {
        return this.#percentiles.count;
    }
    summary() {
        const summary = this.#percentiles.summary();
        if (summary === undefined)
            return { count: 0 };
        const { count, min, p50, p95, max } = summary;
        return { count, min_ms: toMs(min), p50_ms: toMs(p50), p95_ms: toMs(p95), max_ms: toMs(max) };
    }
}
function toMs(durationNs) {
    return Math.round(durationNs / 1000) / 1000;
}

;// CONCATENATED MODULE: ./src/analysis/application/occurrences.ts
const occurrences_maxExamplesCount = 5;
const occurrences_maxBackendsCount = 10;
function noOccurrences() {
    return { count: 0, frames: [], firstTimeNs: 0, lastTimeNs: 0, backends: new Set() };
}
function addBackend(backends, backend) {
    if (backend === undefined || backends.size >= occurrences_maxBackendsCount)
        return;
    const { address, port } = backend;
    backends.add(address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`);
}
function addOccurrence(occurrences, frameNumber, timeNs) {
    if (occurrences.frames.length < occurrences_maxExamplesCount)
        occurrences.frames.push(frameNumber);
    const isFirst = occurrences.count++ === 0;
    if (isFirst || timeNs < occurrences.firstTimeNs)
        occurrences.firstTimeNs = timeNs;
    if (isFirst || timeNs > occurrences.lastTimeNs)
        occurrences.lastTimeNs = timeNs;
}

;// CONCATENATED MODULE: ./src/analysis/application/text-counts.ts
/** How many different texts one table holds: names in packets are chosen by their sender. */
const maxTextCount = 10_000;
/** Counts by text. Bounded: when it is full, a new text is counted in `overflowCount` only. */
class TextCounts {
    #entries = new Map();
    overflowCount = 0;
    add(text, frameNumber, count = 1) {
        const entry = this.#entries.get(text);
        if (entry !== undefined)
            entry.count += count;
        else if (this.#entries.size < maxTextCount)
            this.#entries.set(text, { count, firstFrame: frameNumber });
        else
            this.overflowCount += count;
    }
    get(text) {
        return this.#entries.get(text)?.count ?? 0;
    }
    get size() {
        return this.#entries.size;
    }
    /** The most frequent texts, at most `limitCount`; among equals the one that was seen first. */
    top(limitCount) {
        return [...this.#entries]
            .sort(([, a], [, b]) => b.count - a.count || a.firstFrame - b.firstFrame)
            .slice(0, limitCount)
            .map(([text, { count }]) => [text, count]);
    }
    /** All of them, or the `limitCount` most frequent ones. */
    toRecord(limitCount = maxTextCount) {
        return Object.fromEntries(this.top(limitCount));
    }
}

;// CONCATENATED MODULE: ./src/analysis/time-buckets.ts
const bucketCount = 60;
/** 1/64 s: after six doublings a bucket is a whole second. */
const firstWidthNs = 1e9 / 64;
/**
 * Amounts over the time of a capture, whose length is not known before its end: at most 60 buckets, which double in width when the time goes
 * past them. All begin at time 0, so that those of one width cover the same times.
 */
class TimeBuckets {
    #widthNs = firstWidthNs;
    #amounts = new Float64Array(bucketCount);
    get widthNs() {
        return this.#widthNs;
    }
    add(timeNs, amount = 1) {
        let index = Math.floor(timeNs / this.#widthNs);
        if (index >= bucketCount) {
            this.widen(timeNs);
            index = Math.floor(timeNs / this.#widthNs);
        }
        this.#amounts[index < 0 ? 0 : index] += amount;
    }
    /** When the bucket of `timeNs` begins, as wide as the buckets are now. */
    startOf(timeNs) {
        return Math.floor(timeNs / this.#widthNs) * this.#widthNs;
    }
    /** Makes the buckets so wide that `timeNs` is in one of them. */
    widen(timeNs) {
        const amounts = this.#amounts;
        while (timeNs >= bucketCount * this.#widthNs && timeNs < Infinity) {
            for (let index = 0; index < bucketCount / 2; index += 1)
                amounts[index] = amounts[2 * index] + amounts[2 * index + 1];
            amounts.fill(0, bucketCount / 2);
            this.#widthNs *= 2;
        }
    }
    /** The amounts from time 0 to the bucket of `lastNs`, which must not be wider than these buckets reach. */
    until(lastNs) {
        return [...this.#amounts.subarray(0, Math.min(bucketCount, Math.floor(Math.max(0, lastNs) / this.#widthNs) + 1))];
    }
}

;// CONCATENATED MODULE: ./src/analysis/application/dns-servers.ts





const maxServersCount = 1000;
/** durations that are kept for each server */
const maxSamplesCount = 4096;
const slowNs = 500e6;
const dns_servers_maxExamplesCount = 3;
/** Queries and failures by server. */
class DnsServers {
    #servers = new Map();
    /** when the queries were sent that have no answer, or an error other than "no such name" */
    failureTimes = new TimeBuckets();
    overflowCount = 0;
    #backendOf;
    constructor(backendOf) {
        this.#backendOf = backendOf;
    }
    onQuery(context) {
        const server = this.#get(context);
        if (server === undefined)
            return;
        server.queryCount++;
        if (context.isTcp)
            server.tcpQueryCount++;
    }
    onRetry(context) {
        const server = this.#get(context);
        if (server !== undefined)
            server.retryCount++;
    }
    onResponse(context, message, query) {
        const server = this.#get(context);
        if (server === undefined)
            return;
        const durationNs = context.timeNs - query.timeNs;
        server.responseCount++;
        server.time.add(durationNs);
        if (message.isTruncated)
            addOccurrence(server.truncated, context.frameNumber, context.timeNs);
        if (durationNs >= slowNs)
            addSlow(server, context, query);
        if (message.rcode === 0)
            return;
        const code = rcodeName(message.rcode);
        if (message.rcode !== rcodeNxdomain)
            this.failureTimes.add(query.timeNs);
        const failure = server.failures.get(code) ?? emptyOccurrences();
        server.failures.set(code, failure);
        addOccurrence(failure, context.frameNumber, context.timeNs);
        addBackend(failure.backends, this.#backendOf(context.connection));
        failure.names.add(message.name, context.frameNumber);
        addExample(failure, query, { code, frame: context.frameNumber, durationNs });
    }
    onUnanswered(transaction) {
        const server = this.#get(transaction);
        if (server === undefined)
            return;
        addOccurrence(server.unanswered, transaction.frameNumber, transaction.timeNs);
        addBackend(server.unanswered.backends, this.#backendOf(transaction.connection));
        server.unanswered.names.add(transaction.name, transaction.frameNumber);
        this.failureTimes.add(transaction.timeNs);
        addExample(server.unanswered, transaction, undefined);
    }
    all() {
        return [...this.#servers.values()];
    }
    #get({ server: address, client }) {
        const known = this.#servers.get(address);
        if (known !== undefined)
            return known;
        if (this.#servers.size >= maxServersCount) {
            this.overflowCount++;
            return undefined;
        }
        const server = {
            server: address,
            client,
            queryCount: 0,
            retryCount: 0,
            responseCount: 0,
            tcpQueryCount: 0,
            truncated: noOccurrences(),
            slow: noOccurrences(),
            slowest: undefined,
            time: new DurationStats(maxSamplesCount),
            failures: new Map(),
            unanswered: emptyOccurrences(),
        };
        this.#servers.set(address, server);
        return server;
    }
}
function emptyOccurrences() {
    return { ...noOccurrences(), names: new TextCounts(), examples: [] };
}
function addExample({ examples }, query, answer) {
    if (examples.length < dns_servers_maxExamplesCount)
        examples.push(exampleOf(query, answer));
}
function addSlow(server, { frameNumber: frame, timeNs }, query) {
    addOccurrence(server.slow, frame, timeNs);
    const durationNs = timeNs - query.timeNs;
    if (durationNs <= (server.slowest?.answer?.durationNs ?? 0))
        return;
    server.slowest = exampleOf(query, { code: 'an answer', frame, durationNs });
}
function exampleOf({ name, client, server, frameNumber, timeNs }, answer) {
    return { name, client, server, queryFrame: frameNumber, timeNs, answer };
}

;// CONCATENATED MODULE: ./src/analysis/application/dns-tracker.ts







/** Wireshark's: a query with the same id that comes later than this after an unanswered one is a new one. */
const retransmissionWindowNs = 5e9;
/** Transactions that are remembered; the oldest are given up first. */
const maxTransactionsCount = 50_000;
const listedNamesCount = 10;
/** DNS queries and their responses, as tshark 4.0 pairs them: by connection and id. Memory is bounded. */
class DnsTracker {
    servers;
    race = new DnsRaceDetector();
    search = new DnsSearchDetector();
    /** by connection and id, in the order of the queries */
    #transactions = new BoundedMap(maxTransactionsCount);
    #time = new DurationStats();
    #rcodes = new TextCounts();
    #names = new TextCounts();
    #nxdomainNames = new TextCounts();
    #unansweredNames = new TextCounts();
    #queryCount = 0;
    #responseCount = 0;
    #retransmittedQueryCount = 0;
    #unsolicitedCount = 0;
    #truncatedCount = 0;
    #unansweredCount = 0;
    /** transactions that were given up because there were too many */
    evictedCount = 0;
    constructor(backendOf = () => undefined) {
        this.servers = new DnsServers(backendOf);
    }
    onMessage(message, context) {
        if (message.isTruncated)
            this.#truncatedCount++;
        // Ids have 16 bits, stream numbers of HTTP/2 31: the key is exact for 2 ** 22 connections.
        const key = context.connection * 2 ** 31 + context.transaction;
        if (message.isResponse)
            this.#onResponse(message, context, key);
        else
            this.#onQuery(message, context, key);
    }
    /** Gives up the transactions that are not answered yet. To be called at the end of the capture, before `counters`. */
    finish() {
        for (const transaction of this.#transactions.values())
            this.#giveUp(transaction);
        this.#transactions.clear();
        this.search.finish();
    }
    counters() {
        const counts = {
            queries: this.#queryCount,
            responses: this.#responseCount,
            unsolicited_responses: this.#unsolicitedCount,
            truncated_flag: this.#truncatedCount,
            unanswered: this.#unansweredCount,
            retransmitted_queries: this.#retransmittedQueryCount,
        };
        return {
            ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
            rcode: this.#rcodes.toRecord(),
            time: this.#time.summary(),
            top_names: this.#names.top(listedNamesCount),
            nxdomain_names: this.#nxdomainNames.top(listedNamesCount),
            unanswered_names: this.#unansweredNames.top(listedNamesCount),
        };
    }
    #onQuery(message, context, key) {
        this.#queryCount++;
        if (message.questionCount > 0)
            this.#names.add(message.name, context.frameNumber);
        this.search.onQuery(message, context);
        const earlier = this.#transactions.get(key);
        this.race.onQuery(context, earlier);
        if (earlier !== undefined && !earlier.isAnswered && isSoonAfter(earlier.timeNs, context.timeNs)) {
            this.#retransmittedQueryCount++;
            this.servers.onRetry(context);
            return;
        }
        if (earlier !== undefined) {
            if (!earlier.isAnswered)
                this.servers.onRetry(context);
            this.#giveUp(earlier);
            this.#transactions.delete(key);
        }
        this.#transactions.makeRoom((oldest) => {
            this.#giveUp(oldest);
            this.evictedCount++;
        });
        const transaction = {
            connection: context.connection,
            name: message.name,
            questionType: message.questionType,
            frameNumber: context.frameNumber,
            timeNs: context.timeNs,
            server: context.server,
            client: context.client,
            isAnswered: false,
            isComplete: message.isComplete,
        };
        this.#transactions.set(key, transaction);
        this.servers.onQuery(context);
        this.race.onNewTransaction(context, transaction);
    }
    #onResponse(message, context, key) {
        this.#responseCount++;
        this.#rcodes.add(rcodeName(message.rcode), context.frameNumber);
        if (message.rcode === rcodeNxdomain)
            this.#nxdomainNames.add(message.name, context.frameNumber);
        const transaction = this.#transactions.get(key);
        // A query that was redirected to a proxy in the pod is answered by the address that it was sent to before.
        if (transaction !== undefined)
            context.server = transaction.server;
        this.search.onResponse(message, context);
        // Wireshark adds these fields after the records: a message that ends too early has none of them.
        if (transaction === undefined) {
            if (message.isComplete)
                this.#unsolicitedCount++;
            return;
        }
        // The same response again: it answers nothing.
        if (transaction.isAnswered)
            return;
        transaction.isAnswered = true;
        const durationNs = context.timeNs - transaction.timeNs;
        if (message.isComplete)
            this.#time.add(durationNs);
        this.servers.onResponse(context, message, transaction);
    }
    #giveUp(transaction) {
        if (!transaction.isAnswered)
            this.servers.onUnanswered(transaction);
        if (transaction.isAnswered && transaction.isComplete)
            return;
        this.#unansweredCount++;
        this.#unansweredNames.add(transaction.name, transaction.frameNumber);
    }
}
/** The difference is unsigned in Wireshark: a clock that went back is long ago, not a repetition. */
function isSoonAfter(earlierNs, timeNs) {
    return timeNs - earlierNs < retransmissionWindowNs;
}

;// CONCATENATED MODULE: ./src/analysis/application/connection-ends.ts
/** The name of a server in tables: "address:port", IPv6 in brackets. */
function serverKey({ server: { address, port } }) {
    return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

;// CONCATENATED MODULE: ./src/analysis/application/http-servers.ts





const http_servers_maxServersCount = 1000;
const http_servers_maxSamplesCount = 4096;
const maxSlowestCount = 5;
const http_servers_maxExamplesCount = 3;
/** A first byte that comes later than this is slow. */
const http_servers_slowNs = 1e9;
/** Requests and answers of HTTP/1 and HTTP/2 by server. */
class HttpServers {
    #servers = new Map();
    /** when the requests were sent that the server failed to answer, or answered with an error */
    failureTimes = new TimeBuckets();
    overflowCount = 0;
    onExchange(ends, exchange) {
        const server = this.#get(ends);
        if (server === undefined)
            return;
        const { status, grpcStatus = 0 } = exchange;
        if (status === 0 || status >= 500 || grpcStatus !== 0)
            this.failureTimes.add(exchange.timeNs);
        server.requestCount++;
        if (exchange.host !== undefined)
            server.hosts.add(exchange.host, exchange.requestFrame);
        if (exchange.status === 0) {
            addFailure(server.unanswered, exchange, ends);
            return;
        }
        server.responseCount++;
        server.statuses.add(String(exchange.status), exchange.responseFrame);
        if (exchange.status >= 400)
            addFailure(getFailures(server.failures, exchange.status), exchange, ends);
        if (exchange.grpcStatus !== undefined) {
            server.grpcStatuses.add(String(exchange.grpcStatus), exchange.responseFrame);
            if (exchange.grpcStatus !== 0)
                addFailure(getFailures(server.grpcFailures, exchange.grpcStatus), exchange, ends);
        }
        if (exchange.firstByteNs !== undefined)
            addFirstByte(server, exchange, ends);
    }
    all() {
        return [...this.#servers.values()];
    }
    #get(ends) {
        const address = serverKey(ends);
        const known = this.#servers.get(address);
        if (known !== undefined)
            return known;
        if (this.#servers.size >= http_servers_maxServersCount) {
            this.overflowCount++;
            return undefined;
        }
        const server = {
            server: address,
            ends,
            hosts: new TextCounts(),
            requestCount: 0,
            responseCount: 0,
            statuses: new TextCounts(),
            grpcStatuses: new TextCounts(),
            firstByte: new DurationStats(http_servers_maxSamplesCount),
            failures: new Map(),
            grpcFailures: new Map(),
            unanswered: noFailures(),
            slow: noFailures(),
            slowest: [],
        };
        this.#servers.set(address, server);
        return server;
    }
}
function addFirstByte(server, exchange, ends) {
    const { firstByteNs = 0 } = exchange;
    server.firstByte.add(firstByteNs);
    if (firstByteNs < http_servers_slowNs)
        return;
    addFailure(server.slow, exchange, ends);
    server.slowest = [...server.slowest, { ...exchange, ends }]
        .sort((a, b) => (b.firstByteNs ?? 0) - (a.firstByteNs ?? 0))
        .slice(0, maxSlowestCount);
}
function noFailures() {
    return { ...noOccurrences(), requests: new TextCounts(), examples: [] };
}
function getFailures(table, code) {
    let failures = table.get(code);
    if (failures === undefined) {
        failures = noFailures();
        table.set(code, failures);
    }
    return failures;
}
function addFailure(failures, exchange, ends) {
    if (failures.examples.length < http_servers_maxExamplesCount)
        failures.examples.push({ ...exchange, ends });
    addOccurrence(failures, exchange.responseFrame || exchange.requestFrame, exchange.timeNs);
    addBackend(failures.backends, ends.backend);
    failures.requests.add(`${exchange.method} ${exchange.path}`, exchange.requestFrame);
}

;// CONCATENATED MODULE: ./src/analysis/application/http-tracker.ts


/** Requests of one connection that wait for an answer: no client pipelines more. */
const maxWaitingCount = 1000;
const listedHostsCount = 10;
/** HTTP of a whole capture. */
class HttpTracker {
    servers = new HttpServers();
    methods = new TextCounts();
    statuses = new TextCounts();
    hosts = new TextCounts();
    http2Statuses = new TextCounts();
    http2Frames = new TextCounts();
    grpcStatuses = new TextCounts();
    /** RST_STREAM and GOAWAY by error name, NO_ERROR included */
    streamResets = new TextCounts();
    goAways = new TextCounts();
    /** connections of which one direction was captured: which requests have an answer is not known */
    oneSidedConnections = 0;
    counters() {
        return {
            methods: this.methods.toRecord(),
            status: this.statuses.toRecord(),
            hosts: this.hosts.toRecord(listedHostsCount),
            http2_status: this.http2Statuses.toRecord(),
            http2_frames: this.http2Frames.toRecord(),
            grpc_status: this.grpcStatuses.toRecord(),
            decrypted_or_over_tls: {},
        };
    }
}
/** The HTTP/1 exchanges of one connection: answers belong to the requests in their order. */
class Http1Conversation {
    #tracker;
    #endsOf;
    #ends;
    #waiting = [];
    /** `endsOf` is asked once, when the first exchange is known */
    constructor(tracker, endsOf) {
        this.#tracker = tracker;
        this.#endsOf = endsOf;
    }
    onHead(head) {
        return head.isRequest ? this.#onRequest(head) : this.#onResponse(head);
    }
    onComplete(head, timeNs, isCounted) {
        const waiting = this.#waiting.find((request) => request.head === head);
        if (waiting !== undefined)
            waiting.endTimeNs = timeNs;
        if (isCounted)
            this.#count(head);
    }
    /** The connection is over or forgotten. `hasNoAnswer`: whether a request that waits since this time (ns) has no answer, or cannot be known. */
    finish(hasNoAnswer) {
        for (const request of this.#waiting)
            if (hasNoAnswer(request.endTimeNs))
                this.#onExchange(request, undefined);
        this.#waiting = [];
    }
    #count(head) {
        const tracker = this.#tracker;
        const { frameNumber } = head;
        if (head.host !== undefined && head.host !== '')
            tracker.hosts.add(head.host, frameNumber);
        if (!head.isRequest) {
            if (head.status > 0)
                tracker.statuses.add(String(head.status), frameNumber);
            return;
        }
        tracker.methods.add(head.method, frameNumber);
    }
    #onRequest(head) {
        if (this.#waiting.length >= maxWaitingCount)
            this.#onExchange(this.#waiting.shift(), undefined);
        this.#waiting.push({ head, endTimeNs: head.startTimeNs });
        return isRpcTunnel(head) ? 'another protocol' : 'body';
    }
    #onResponse(head) {
        const { status } = head;
        // 100 and 103 precede the real answer.
        if (status >= 100 && status < 200 && status !== 101)
            return 'no body';
        const request = this.#waiting.shift();
        if (request !== undefined)
            this.#onExchange(request, head);
        const method = request?.head.method;
        if (status === 101 || (method === 'CONNECT' && status >= 200 && status < 300))
            return 'another protocol';
        return method === 'HEAD' || status === 204 || status === 304 ? 'no body' : 'body';
    }
    #onExchange({ head, endTimeNs }, response) {
        this.#ends ??= this.#endsOf();
        const exchange = {
            method: head.method,
            path: head.path,
            host: head.host,
            status: response?.status ?? 0,
            grpcStatus: undefined,
            requestFrame: head.frameNumber,
            responseFrame: response?.frameNumber ?? 0,
            timeNs: head.startTimeNs,
            firstByteNs: response === undefined ? undefined : Math.max(response.startTimeNs - endTimeNs, 0),
        };
        this.#tracker.servers.onExchange(this.#ends, exchange);
    }
}
/** RPC over HTTP announces a length that means nothing, 1 GiB: other data follows on the connection (MS-RPCH). */
function isRpcTunnel({ method, contentLength = 0 }) {
    return (method === 'RPC_IN_DATA' || method === 'RPC_OUT_DATA') && contentLength >= 128 * 1024;
}

;// CONCATENATED MODULE: ./src/analysis/application/icmp-tracker.ts





const maxErrorsCount = 1000;
/** How long an error needs from one interface of a node to the next. */
const icmp_tracker_maxDelayNs = 5e6;
/** Counts ICMP and ICMPv6 messages and collects the errors with the flows that they are about. */
class IcmpTracker {
    #v4 = new TextCounts();
    #v6 = new TextCounts();
    #mtus = new TextCounts();
    #errors = new Map();
    /** what was quoted last, and where: a capture of all interfaces has each error on each interface that it passes */
    #last = { quoted: 0, place: 0, timeNs: Number.NEGATIVE_INFINITY };
    /** errors whose flow is quoted in the datagram that is handed over next */
    #pending;
    /** errors about other flows than the first 1,000 */
    overflowCount = 0;
    #backendOf;
    constructor(backendOf = () => undefined) {
        this.#backendOf = backendOf;
    }
    onPacket(packet) {
        if (packet.inIcmpError) {
            if (this.#pending?.frameNumber === packet.frameNumber)
                this.#onQuoted(packet);
            return;
        }
        const isV6 = packet.protocol === ipProtocol.icmpv6;
        if (!isV6 && packet.protocol !== ipProtocol.icmp)
            return;
        const at = packet.transportOffset;
        if (at < 0 || packet.fragmentStartBytes > 0 || at + 2 > packet.frameOffset + packet.capturedLength)
            return;
        const type = packet.buffer[at];
        const code = packet.buffer[at + 1];
        (isV6 ? this.#v6 : this.#v4).add(`${type}/${code}`, packet.frameNumber);
        this.#pending = undefined;
        if (!isError(isV6, type))
            return;
        const mtu = readMtu(packet, isV6, type, code);
        if (mtu !== undefined)
            this.#mtus.add(String(mtu), packet.frameNumber);
        this.#pending = {
            frameNumber: packet.frameNumber,
            type,
            code,
            mtu,
            reporter: addressText(packet.buffer, packet.sourceOffset, packet.addressLength),
        };
    }
    counters() {
        return { icmp: this.#v4.toRecord(), icmpv6: this.#v6.toRecord(), icmp_mtu: this.#mtus.toRecord() };
    }
    errors() {
        return [...this.#errors.values()];
    }
    #onQuoted(packet) {
        const pending = this.#pending;
        this.#pending = undefined;
        if (packet.sourceOffset < 0 || packet.destinationOffset < 0)
            return;
        const quoted = {
            protocol: packet.protocol,
            source: addressText(packet.buffer, packet.sourceOffset, packet.addressLength),
            sourcePort: packet.transportOffset < 0 ? 0 : packet.sourcePort,
            destination: addressText(packet.buffer, packet.destinationOffset, packet.addressLength),
            destinationPort: packet.transportOffset < 0 ? 0 : packet.destinationPort,
        };
        const ipVersion = packet.ipVersion === 6 ? 6 : 4;
        // Without the client's port: a client that tries again does it from another one.
        const key = [ipVersion, pending.type, pending.code, pending.reporter, quoted.protocol, quoted.source];
        const text = [...key, quoted.destination, quoted.destinationPort].join(' ');
        let error = this.#errors.get(text);
        if (error === undefined) {
            if (this.#errors.size >= maxErrorsCount) {
                this.overflowCount++;
                return;
            }
            const { type, code, reporter, mtu } = pending;
            error = { ...noOccurrences(), ipVersion, type, code, reporter, mtu, quoted };
            this.#errors.set(text, error);
        }
        if (packet.quotedConnection >= 0)
            addBackend(error.backends, this.#backendOf(packet.quotedConnection));
        if (!this.#isCopy(packet))
            addOccurrence(error, packet.frameNumber, packet.timeNs);
    }
    #isCopy(packet) {
        const { timeNs, ipId, sourcePort, sequence, packetType, interfaceId, payloadCaptured } = packet;
        const id = payloadCaptured >= 2 ? u16(packet.buffer, packet.payloadOffset) : sequence;
        const quoted = Math.imul(Math.imul(ipId + 1, 65_521) ^ sourcePort, 65_521) ^ id;
        const place = interfaceId * 8 + packetType;
        const last = this.#last;
        const isCopy = packetType >= 0 && quoted === last.quoted && place !== last.place && timeNs - last.timeNs < icmp_tracker_maxDelayNs;
        if (!isCopy)
            this.#last = { quoted, place, timeNs };
        return isCopy;
    }
}
/** ICMP: unreachable, quench, redirect, time exceeded, parameter problem. ICMPv6: all below 128 (RFC 4443, 2.1). */
function isError(isV6, type) {
    return isV6 ? type < 128 : type === 3 || type === 4 || type === 5 || type === 11 || type === 12;
}
function readMtu(packet, isV6, type, code) {
    const at = packet.transportOffset;
    if (at + 8 > packet.frameOffset + packet.capturedLength)
        return undefined;
    const bytes = packet.buffer;
    if (isV6)
        return type === 2 ? u32(bytes, at + 4) : undefined;
    return type === 3 && code === 4 ? u16(bytes, at + 6) : undefined;
}

;// CONCATENATED MODULE: ./src/analysis/application/neighbor-tracker.ts





const etherTypeArp = 0x0806;
const arpRequest = 1;
const neighborSolicitation = 135;
const neighborAdvertisement = 136;
const maxNeighborsCount = 10_000;
/** The packet type of LINUX_SLL and LINUX_SLL2 */
const sentByUs = 4;
/** Two requests within this without a reply: no host has the address. */
const retryWindowNs = 3e9;
/** A bridge sends one request to all its ports: a capture of all interfaces has it on each. */
const neighbor_tracker_maxDelayNs = 5e6;
/** ARP and IPv6 neighbor discovery: the counter `arp` by operation, and addresses that did not answer. */
class NeighborTracker {
    #operations = new TextCounts();
    #neighbors = new Map();
    overflowCount = 0;
    onPacket(packet) {
        if (packet.etherType === etherTypeArp && packet.ipVersion === 0)
            this.#onArp(packet);
        else if (packet.protocol === ipProtocol.icmpv6 && !packet.inIcmpError)
            this.#onIcmpv6(packet);
    }
    counters() {
        return this.#operations.toRecord();
    }
    /** Addresses that were asked for at least twice within 3 s and never answered. */
    unanswered() {
        return [...this.#neighbors.values()].filter(({ isAnswered, wasAskedAgain }) => wasAskedAgain && !isAnswered);
    }
    #onArp(packet) {
        const { buffer, networkOffset: at } = packet;
        if (at < 0 || packet.networkCaptured < 8)
            return;
        const operation = u16(buffer, at + 6);
        this.#operations.add(String(operation), packet.frameNumber);
        const hardwareLength = buffer[at + 4];
        const isIpv4 = u16(buffer, at + 2) === 0x0800 && buffer[at + 5] === 4;
        const sender = at + 8 + hardwareLength;
        const target = sender + 4 + hardwareLength;
        if (!isIpv4 || target + 4 > at + packet.networkCaptured)
            return;
        const senderText = addressText(buffer, sender, 4);
        // The sender has its address, except for a probe (RFC 5227), which has none yet.
        if (senderText !== '0.0.0.0')
            this.#onAlive(senderText);
        const targetText = addressText(buffer, target, 4);
        if (operation === arpRequest && targetText !== senderText && senderText !== '0.0.0.0') {
            this.#onRequest(targetText, senderText, packet);
        }
    }
    #onIcmpv6(packet) {
        const { buffer, transportOffset: at } = packet;
        if (at < 0 || at + 24 > packet.frameOffset + packet.capturedLength)
            return;
        const type = buffer[at];
        if (type === neighborAdvertisement)
            this.#onAlive(addressText(buffer, at + 8, 16));
        if (type !== neighborSolicitation)
            return;
        const asker = addressText(buffer, packet.sourceOffset, packet.addressLength);
        // Duplicate address detection asks for the own address, and no answer is the good case.
        if (asker !== '::')
            this.#onRequest(addressText(buffer, at + 8, 16), asker, packet);
    }
    #onRequest(address, asker, packet) {
        // The requests of other hosts on the link are broadcast, and the replies to them are not: only those of this host can be judged.
        if (packet.packetType >= 0 && packet.packetType !== sentByUs)
            return;
        let neighbor = this.#neighbors.get(address);
        if (neighbor === undefined) {
            if (this.#neighbors.size >= maxNeighborsCount) {
                this.overflowCount++;
                return;
            }
            const ipVersion = packet.ipVersion === 6 ? 6 : 4;
            neighbor = { ...noOccurrences(), address, ipVersion, asker, isAnswered: false, wasAskedAgain: false };
            this.#neighbors.set(address, neighbor);
        }
        else if (packet.packetType >= 0 && packet.timeNs - neighbor.lastTimeNs < neighbor_tracker_maxDelayNs) {
            return;
        }
        else if (packet.timeNs - neighbor.lastTimeNs <= retryWindowNs) {
            neighbor.wasAskedAgain = true;
        }
        addOccurrence(neighbor, packet.frameNumber, packet.timeNs);
    }
    #onAlive(address) {
        const neighbor = this.#neighbors.get(address);
        if (neighbor !== undefined)
            neighbor.isAnswered = true;
    }
}

;// CONCATENATED MODULE: ./src/analysis/application/pending-bytes.ts
/** Bytes that all parsers together hold of messages that are not whole yet. */
const maxTotalBytes = 16 * 1024 * 1024;
const firstBytes = 512;
/** What one capture's parsers may hold together: a hostile capture has very many messages that never end. */
class PendingBudget {
    heldBytes = 0;
    /** messages that were given up for it */
    refusedCount = 0;
    take(byteCount) {
        if (this.heldBytes + byteCount > maxTotalBytes) {
            this.refusedCount++;
            return false;
        }
        this.heldBytes += byteCount;
        return true;
    }
    release(byteCount) {
        this.heldBytes -= byteCount;
    }
}
/** The beginning of a message whose end is in a later segment. */
class PendingBytes {
    #budget;
    #limitBytes;
    bytes = new Uint8Array(0);
    length = 0;
    constructor(budget, limitBytes) {
        this.#budget = budget;
        this.#limitBytes = limitBytes;
    }
    /** Adds a copy. False, and nothing is held any more, where it becomes too much. */
    append(bytes, start, end) {
        const length = this.length + end - start;
        if (length > this.bytes.length && !this.#grow(length)) {
            this.clear();
            return false;
        }
        this.bytes.set(bytes.subarray(start, end), this.length);
        this.length = length;
        return true;
    }
    clear() {
        this.#budget.release(this.bytes.length);
        this.bytes = new Uint8Array(0);
        this.length = 0;
    }
    #grow(length) {
        if (length > this.#limitBytes)
            return false;
        const sizeBytes = Math.min(Math.max(length, this.bytes.length * 2, firstBytes), this.#limitBytes);
        if (!this.#budget.take(sizeBytes - this.bytes.length))
            return false;
        const grown = new Uint8Array(sizeBytes);
        grown.set(this.bytes.subarray(0, this.length));
        this.bytes = grown;
        return true;
    }
}

;// CONCATENATED MODULE: ./src/analysis/application/stream-chunk.ts
/** The next bytes of one direction of a connection: `bytes[start]` to `bytes[end - 1]`. One object, filled again: copy what you keep. */
class StreamChunk {
    bytes = new Uint8Array(0);
    start = 0;
    end = 0;
    timeNs = 0;
    frameNumber = 0;
    /**
     * The segment came late, after one that follows it. tshark 4.0 does not read a message that such a segment completes: the counters that are
     * compared with it leave it out, findings do not.
     */
    isLate = false;
    /** Sent before, as tshark judges: it does not even fill a hole with such a segment. */
    isRepeat = false;
}

;// CONCATENATED MODULE: ./src/analysis/application/http2-frames.ts

const frameHeaderBytes = 9;
const http2Frame = {
    data: 0,
    headers: 1,
    priority: 2,
    rstStream: 3,
    settings: 4,
    pushPromise: 5,
    ping: 6,
    goAway: 7,
    windowUpdate: 8,
    continuation: 9,
};
const frameFlag = { endStream: 0x01, endHeaders: 0x04, padded: 0x08, priority: 0x20 };
/** The names of the ground truth: the types that it does not name are numbers. */
const typeNames = {
    0: 'DATA',
    1: 'HEADERS',
    3: 'RST_STREAM',
    4: 'SETTINGS',
    6: 'PING',
    7: 'GOAWAY',
    8: 'WINDOW_UPDATE',
    9: 'CONTINUATION',
};
/** RFC 9113, 7 */
const errorNames = [
    ...['NO_ERROR', 'PROTOCOL_ERROR', 'INTERNAL_ERROR', 'FLOW_CONTROL_ERROR', 'SETTINGS_TIMEOUT', 'STREAM_CLOSED'],
    ...['FRAME_SIZE_ERROR', 'REFUSED_STREAM', 'CANCEL', 'COMPRESSION_ERROR', 'CONNECT_ERROR', 'ENHANCE_YOUR_CALM'],
    ...['INADEQUATE_SECURITY', 'HTTP_1_1_REQUIRED'],
];
function frameTypeName(type) {
    return typeNames[type] ?? String(type);
}
function http2ErrorName(code) {
    return errorNames[code] ?? String(code);
}
/** The bytes that a client sends first (RFC 9113, 3.4). */
const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
/** Whether a frame header makes sense: a known type on a stream where it may be, not larger than the default limit. */
function isPlausibleFrame(bytes, start, end) {
    if (end - start < frameHeaderBytes)
        return false;
    const type = bytes[start + 3];
    if (frameSize(bytes, start) > 16_384 || type > http2Frame.continuation || bytes[start + 5] >= 0x80)
        return false;
    const isOnConnection = frameStream(bytes, start) === 0;
    const rule = frameRules[type];
    if (rule === undefined)
        return !isOnConnection;
    return (rule.isOnConnection ?? isOnConnection) === isOnConnection && rule.fits(frameSize(bytes, start));
}
/** Where frames of a type are (`isOnConnection` undefined: anywhere) and how long they are. All others are on streams and have any length. */
const frameRules = {
    [http2Frame.priority]: { isOnConnection: false, fits: (sizeBytes) => sizeBytes === 5 },
    [http2Frame.rstStream]: { isOnConnection: false, fits: (sizeBytes) => sizeBytes === 4 },
    [http2Frame.settings]: { isOnConnection: true, fits: (sizeBytes) => sizeBytes % 6 === 0 },
    [http2Frame.ping]: { isOnConnection: true, fits: (sizeBytes) => sizeBytes === 8 },
    [http2Frame.goAway]: { isOnConnection: true, fits: (sizeBytes) => sizeBytes >= 8 },
    [http2Frame.windowUpdate]: { fits: (sizeBytes) => sizeBytes === 4 },
};
function frameSize(bytes, start) {
    return u24(bytes, start);
}
function frameStream(bytes, start) {
    return u32(bytes, start + 5) & 0x7fffffff; // the first bit is reserved
}

;// CONCATENATED MODULE: ./src/analysis/application/http2-conversation.ts


/** Streams of one connection that are open: servers allow 100 to 250. */
const maxStreamsCount = 1000;
/** RFC 8484 */
const maxDnsMessageBytes = 65_535;
const dnsContentType = 'application/dns-message';
/** The streams of one HTTP/2 connection: each is a request and its answer. */
class Http2Conversation {
    #tracker;
    #endsOf;
    #onDns;
    #budget;
    #streams = new Map();
    #ends;
    constructor(tracker, endsOf, dns) {
        this.#tracker = tracker;
        this.#endsOf = endsOf;
        this.#onDns = dns.onDns;
        this.#budget = dns.budget;
    }
    /** What the parser of a direction tells. Which side is the client is seen from the fields, not from the direction. */
    events() {
        return {
            onFrame: (type, chunk) => {
                if (!chunk.isLate)
                    this.#tracker.http2Frames.add(frameTypeName(type), chunk.frameNumber);
            },
            onHeaders: (headers, chunk) => this.#onHeaders(headers, chunk),
            onData: (data, chunk) => this.#onData(data, chunk),
            wantsData: (stream) => this.#streams.get(stream)?.requestType === dnsContentType,
            onReset: (stream, errorCode, chunk) => {
                this.#tracker.streamResets.add(http2ErrorName(errorCode), chunk.frameNumber);
                this.#end(stream);
            },
            onGoAway: (errorCode, chunk) => {
                this.#tracker.goAways.add(http2ErrorName(errorCode), chunk.frameNumber);
            },
        };
    }
    /** The connection is over or forgotten. `hasNoAnswer`: whether a request that waits since this time (ns) has no answer, or cannot be known. */
    finish(hasNoAnswer) {
        for (const [number, stream] of this.#streams) {
            if (stream.status > 0 || hasNoAnswer(stream.requestEndNs))
                this.#end(number);
            else
                stream.body?.clear();
        }
        this.#streams.clear();
    }
    #onHeaders({ stream: number, fields, isEndOfStream }, chunk) {
        const stream = this.#get(number, chunk);
        for (const field of fields)
            this.#onField(stream, field, chunk);
        if (isEndOfStream)
            this.#onEndOfStream(number, stream, chunk);
    }
    #onField(stream, { name, value = '' }, chunk) {
        switch (name) {
            case ':method':
                stream.method = value;
                stream.requestFrame = chunk.frameNumber;
                stream.timeNs = chunk.timeNs;
                stream.requestEndNs = chunk.timeNs;
                break;
            case ':path':
                stream.path = value.split(/[?#]/, 1)[0] ?? '';
                break;
            case ':authority':
                stream.host = value;
                break;
            case ':status':
                this.#onStatus(stream, value, chunk);
                break;
            case 'content-type':
                if (stream.status === 0)
                    stream.requestType = value;
                else
                    stream.responseType = value;
                break;
            case 'grpc-status':
                this.#tracker.grpcStatuses.add(value, chunk.frameNumber);
                if (/^\d{1,2}$/.test(value))
                    stream.grpcStatus = Number(value);
                break;
            case undefined:
            default:
        }
    }
    #onStatus(stream, value, chunk) {
        this.#tracker.http2Statuses.add(value, chunk.frameNumber);
        const status = /^\d{3}$/.test(value) ? Number(value) : 0;
        if (status < 200)
            return;
        stream.status = status;
        stream.responseFrame = chunk.frameNumber;
        stream.responseTimeNs = chunk.timeNs;
    }
    #onData(data, chunk) {
        const stream = this.#streams.get(data.stream);
        if (stream === undefined)
            return;
        if (stream.status === 0)
            stream.requestEndNs = chunk.timeNs;
        if (data.end > data.start) {
            stream.body ??= new PendingBytes(this.#budget, maxDnsMessageBytes);
            stream.body.append(data.bytes, data.start, data.end);
        }
        if (data.isEndOfStream)
            this.#onEndOfStream(data.stream, stream, chunk);
    }
    #onEndOfStream(number, stream, chunk) {
        if (stream.body !== undefined && stream.body.length > 0) {
            const { bytes, length } = stream.body;
            this.#onDns({ bytes, start: 0, end: length, stream: number }, chunk);
            stream.body.clear();
        }
        // The end of the request comes first; the end of the answer ends the stream.
        if (stream.status > 0)
            this.#end(number);
        else
            stream.requestEndNs = chunk.timeNs;
    }
    #get(number, chunk) {
        const known = this.#streams.get(number);
        if (known !== undefined)
            return known;
        if (this.#streams.size >= maxStreamsCount) {
            for (const oldest of this.#streams.keys()) {
                this.#end(oldest);
                break;
            }
        }
        const stream = {
            method: '',
            path: '',
            host: undefined,
            requestFrame: 0,
            timeNs: chunk.timeNs,
            requestEndNs: 0,
            requestType: '',
            responseType: '',
            status: 0,
            responseFrame: 0,
            responseTimeNs: 0,
            grpcStatus: undefined,
            body: undefined,
        };
        this.#streams.set(number, stream);
        return stream;
    }
    #end(number) {
        const stream = this.#streams.get(number);
        if (stream === undefined)
            return;
        this.#streams.delete(number);
        stream.body?.clear();
        // An answer whose request was not seen is no exchange that can be judged, except for its status.
        if (stream.requestFrame === 0 && stream.status === 0)
            return;
        this.#ends ??= this.#endsOf();
        const hasBoth = stream.requestFrame > 0 && stream.status > 0;
        this.#tracker.servers.onExchange(this.#ends, {
            method: stream.method,
            path: stream.path,
            host: stream.host,
            status: stream.status,
            grpcStatus: stream.grpcStatus,
            requestFrame: stream.requestFrame,
            responseFrame: stream.responseFrame,
            timeNs: stream.timeNs,
            firstByteNs: hasBoth ? Math.max(stream.responseTimeNs - stream.requestEndNs, 0) : undefined,
        });
    }
}

;// CONCATENATED MODULE: ./src/analysis/application/hpack-huffman.ts
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
30:10 13 22 256`;
const endOfString = 256;
/** Two entries a node: the node after a 0 and after a 1, or a symbol as -1 - symbol. 0: no such code. */
const tree = buildTree();
function buildTree() {
    const nodes = new Int16Array(2 * 512);
    let nodeCount = 1;
    let code = 0;
    let codeBits = 0;
    for (const line of symbolsByBits.trim().split('\n')) {
        const [length = '', symbols = ''] = line.split(':');
        for (const symbol of symbols.split(' ')) {
            code = code << (Number(length) - codeBits);
            codeBits = Number(length);
            let node = 0;
            for (let bit = codeBits - 1; bit > 0; bit--) {
                const slot = 2 * node + ((code >>> bit) & 1);
                if (nodes[slot] === 0)
                    nodes[slot] = nodeCount++;
                node = nodes[slot];
            }
            nodes[2 * node + (code & 1)] = -1 - Number(symbol);
            code++;
        }
    }
    return nodes;
}
/** Decodes the bytes from `start` to `end`, at most `maxChars` of the result are kept. Undefined where they are not a Huffman string. */
function decodeHuffman(bytes, start, end, maxChars) {
    let text = '';
    let length = 0;
    let node = 0;
    let bitsSinceSymbol = 0;
    let isAllOnes = true;
    for (let at = start; at < end; at++) {
        for (let bit = 7; bit >= 0; bit--) {
            const value = (bytes[at] >> bit) & 1;
            bitsSinceSymbol++;
            if (value === 0)
                isAllOnes = false;
            const next = tree[2 * node + value];
            if (next === 0)
                return undefined;
            if (next > 0) {
                node = next;
                continue;
            }
            const symbol = -1 - next;
            if (symbol === endOfString)
                return undefined;
            if (length++ < maxChars)
                text += String.fromCharCode(symbol);
            node = 0;
            bitsSinceSymbol = 0;
            isAllOnes = true;
        }
    }
    // RFC 7541, 5.2: what fills the last byte is the beginning of the end-of-string code, less than a byte of ones.
    return bitsSinceSymbol < 8 && isAllOnes ? { text, length } : undefined;
}

;// CONCATENATED MODULE: ./src/analysis/application/raw-text.ts

/** The longest text of a packet that is kept: a path or a host name, not a payload. */
const raw_text_maxTextBytes = 256;
/**
 * Text as it is in the packet, one character for each byte, cut after 256 bytes. It may hold anything: it is escaped where it is shown,
 * never here, so that it compares equal to what other tools read.
 */
function rawText(bytes, start, end) {
    const from = Math.max(start, 0);
    const stop = Math.min(end, start + raw_text_maxTextBytes, bytes.length);
    return stop > from ? textOf(bytes, from, stop) : '';
}
/** Whether the bytes from `start` are the characters of `text` (ASCII); false where they end before. */
function startsWithText(bytes, start, end, text) {
    if (end - start < text.length)
        return false;
    for (let index = 0; index < text.length; index++) {
        if (bytes[start + index] !== text.charCodeAt(index))
            return false;
    }
    return true;
}

;// CONCATENATED MODULE: ./src/analysis/application/hpack.ts


/** RFC 7541, appendix A: "name" or "name=value", from index 1 */
const staticTable = [
    ...[':authority', ':method=GET', ':method=POST', ':path=/', ':path=/index.html', ':scheme=http', ':scheme=https'],
    ...[':status=200', ':status=204', ':status=206', ':status=304', ':status=400', ':status=404', ':status=500'],
    ...['accept-charset', 'accept-encoding=gzip, deflate', 'accept-language', 'accept-ranges', 'accept'],
    ...['access-control-allow-origin', 'age', 'allow', 'authorization', 'cache-control', 'content-disposition'],
    ...['content-encoding', 'content-language', 'content-length', 'content-location', 'content-range', 'content-type'],
    ...['cookie', 'date', 'etag', 'expect', 'expires', 'from', 'host', 'if-match', 'if-modified-since', 'if-none-match'],
    ...['if-range', 'if-unmodified-since', 'last-modified', 'link', 'location', 'max-forwards', 'proxy-authenticate'],
    ...['proxy-authorization', 'range', 'referer', 'refresh', 'retry-after', 'server', 'set-cookie'],
    ...['strict-transport-security', 'transfer-encoding', 'user-agent', 'vary', 'via', 'www-authenticate'],
].map((entry) => {
    const mark = entry.indexOf('=');
    return mark < 0 ? { name: entry, value: '' } : { name: entry.slice(0, mark), value: entry.slice(mark + 1) };
});
/** SETTINGS_HEADER_TABLE_SIZE before anybody says otherwise */
const defaultTableBytes = 4096;
/** A table that may be larger is not followed. */
const maxTableBytes = 64 * 1024;
/** RFC 7541, 4.1 */
const entryOverheadBytes = 32;
/**
 * Header fields of one direction of an HTTP/2 connection (RFC 7541). Where the connection's start is not in the capture, fields that refer to
 * what was sent before are unknown; later ones are right, because the table is indexed from its newest entry.
 */
class HpackDecoder {
    #budget;
    /** the newest entry is the last one */
    #entries = [];
    #sizeBytes = 0;
    #limitBytes = defaultTableBytes;
    /** The table cannot be followed any more: everything that is not in the static table is unknown. */
    isBroken = false;
    #at = 0;
    constructor(budget) {
        this.#budget = budget;
    }
    /** The fields of a whole header block. Stops, and the decoder is broken, at the first byte that makes no sense. */
    decode(bytes, start, end) {
        const fields = [];
        this.#at = start;
        while (this.#at < end && !this.isBroken) {
            const field = this.#readField(bytes, end);
            if (field !== undefined)
                fields.push(field);
        }
        return fields;
    }
    /** The connection is over. */
    clear() {
        this.#budget.release(this.#sizeBytes);
        this.#entries = [];
        this.#sizeBytes = 0;
        this.isBroken = true;
    }
    #readField(bytes, end) {
        const first = bytes[this.#at];
        if ((first & 0x80) !== 0)
            return this.#lookUp(this.#readInteger(bytes, end, 7));
        if ((first & 0xe0) === 0x20) {
            this.#resize(this.#readInteger(bytes, end, 5));
            return undefined;
        }
        const isIndexed = (first & 0x40) !== 0;
        const index = this.#readInteger(bytes, end, isIndexed ? 6 : 4);
        const literalName = index === 0 ? this.#readString(bytes, end) : undefined;
        const name = index === 0 ? literalName?.text : this.#lookUp(index)?.name;
        const value = this.#readString(bytes, end);
        if (value === undefined || this.isBroken)
            return undefined;
        if (isIndexed) {
            const nameBytes = literalName?.length ?? name?.length ?? 0;
            this.#insert({ name, value: value.text, sizeBytes: nameBytes + value.length + entryOverheadBytes });
        }
        return { name, value: value.text };
    }
    #lookUp(index) {
        if (index <= 0) {
            this.#break();
            return undefined;
        }
        if (index <= staticTable.length)
            return staticTable[index - 1];
        const entry = this.#entries[this.#entries.length - (index - staticTable.length)];
        return entry ?? { name: undefined, value: undefined };
    }
    #insert(entry) {
        this.#evict(this.#limitBytes - entry.sizeBytes);
        if (entry.sizeBytes > this.#limitBytes)
            return;
        if (!this.#budget.take(entry.sizeBytes)) {
            this.#break();
            return;
        }
        this.#entries.push(entry);
        this.#sizeBytes += entry.sizeBytes;
    }
    #resize(limitBytes) {
        if (limitBytes > maxTableBytes) {
            this.#break();
            return;
        }
        this.#limitBytes = limitBytes;
        this.#evict(limitBytes);
    }
    /** Removes the oldest entries until no more than `limitBytes` are left. */
    #evict(limitBytes) {
        let count = 0;
        while (this.#sizeBytes > limitBytes && count < this.#entries.length) {
            const { sizeBytes } = this.#entries[count++];
            this.#sizeBytes -= sizeBytes;
            this.#budget.release(sizeBytes);
        }
        if (count > 0)
            this.#entries.splice(0, count);
    }
    /** RFC 7541, 5.1 */
    #readInteger(bytes, end, prefixBits) {
        const mask = (1 << prefixBits) - 1;
        let value = bytes[this.#at++] & mask;
        if (value < mask)
            return value;
        for (let shift = 0; shift <= 21; shift += 7) {
            if (this.#at >= end)
                break;
            const byte = bytes[this.#at++];
            value += (byte & 0x7f) << shift;
            if (byte < 0x80)
                return value;
        }
        this.#break();
        return 0;
    }
    /** RFC 7541, 5.2. `length`: of the whole string, `text` may be shorter */
    #readString(bytes, end) {
        if (this.#at >= end) {
            this.#break();
            return undefined;
        }
        const isHuffman = bytes[this.#at] >= 0x80;
        const byteCount = this.#readInteger(bytes, end, 7);
        const start = this.#at;
        this.#at += byteCount;
        if (this.#at > end || this.isBroken) {
            this.#break();
            return undefined;
        }
        if (!isHuffman)
            return { text: rawText(bytes, start, this.#at), length: byteCount };
        const decoded = decodeHuffman(bytes, start, this.#at, raw_text_maxTextBytes);
        if (decoded === undefined)
            this.#break();
        return decoded;
    }
    #break() {
        this.#evict(0);
        this.isBroken = true;
    }
}

;// CONCATENATED MODULE: ./src/analysis/application/http2-parser.ts





/** A frame that is read whole, and a header block with its continuations. */
const maxHeldBytes = 64 * 1024;
/** HTTP/2 frames of one direction. */
class Http2Parser {
    #events;
    #pending;
    #block;
    #hpack;
    /** what is left of a frame that is not looked at */
    #skipBytes = 0;
    #skipped = { type: 0, stream: 0, isEndOfStream: false };
    #blockStream = 0;
    #isBlockEndOfStream = false;
    isLost = false;
    constructor(events, budget) {
        this.#events = events;
        this.#pending = new PendingBytes(budget, maxHeldBytes);
        this.#block = new PendingBytes(budget, maxHeldBytes);
        this.#hpack = new HpackDecoder(budget);
    }
    get skippableBytes() {
        // The last byte of a frame says that the frame is there.
        return Math.max(this.#skipBytes - 1, 0);
    }
    resume() {
        this.isLost = false;
    }
    onChunk(chunk) {
        let at = chunk.start;
        while (at < chunk.end && !this.isLost) {
            if (this.#skipBytes > 0) {
                const count = Math.min(this.#skipBytes, chunk.end - at);
                at += count;
                this.#skip(count, chunk);
            }
            else
                at = this.#pending.length > 0 ? this.#onMore(chunk, at) : this.#onFrameStart(chunk, at);
        }
    }
    onGap(byteCount) {
        if (byteCount <= this.skippableBytes)
            this.#skipBytes -= byteCount;
        else
            this.#lose();
    }
    onClose() {
        this.#lose();
        this.#hpack.clear();
    }
    #onFrameStart(chunk, at) {
        const { bytes, end } = chunk;
        if (startsWithText(bytes, at, end, preface))
            return at + preface.length;
        if (end - at < frameHeaderBytes || (bytes[at] === 0x50 && end - at < preface.length))
            return this.#hold(chunk, at);
        return this.#onHeader(bytes, at, end) ? this.#onKnownFrame(chunk, at) : end;
    }
    /** `at`: of a frame header that makes sense */
    #onKnownFrame(chunk, at) {
        const { bytes, end } = chunk;
        const next = at + frameHeaderBytes + frameSize(bytes, at);
        if (this.#isSkipped(bytes, at)) {
            this.#startSkip(bytes, at, chunk);
            return at + frameHeaderBytes;
        }
        if (next > end)
            return this.#hold(chunk, at);
        this.#onFrame(bytes, at, chunk);
        return next;
    }
    #onMore(chunk, at) {
        const { length } = this.#pending;
        const first = this.#pending.bytes[0];
        const startBytes = first === 0x50 ? preface.length : frameHeaderBytes;
        const wanted = length < startBytes ? startBytes : frameHeaderBytes + frameSize(this.#pending.bytes, 0);
        const next = Math.min(at + wanted - length, chunk.end);
        if (!this.#pending.append(chunk.bytes, at, next)) {
            this.#lose();
            return chunk.end;
        }
        const { bytes, length: held } = this.#pending;
        if (held < wanted)
            return next;
        if (startsWithText(bytes, 0, held, preface))
            this.#pending.clear();
        else if (length < startBytes) {
            if (!this.#onHeader(bytes, 0, held))
                return chunk.end;
            if (this.#isSkipped(bytes, 0)) {
                this.#startSkip(bytes, 0, chunk);
                this.#pending.clear();
            }
            else if (held === frameHeaderBytes + frameSize(bytes, 0))
                this.#onHeldFrame(chunk);
        }
        else
            this.#onHeldFrame(chunk);
        return next;
    }
    #onHeldFrame(chunk) {
        this.#onFrame(this.#pending.bytes, 0, chunk);
        this.#pending.clear();
    }
    #onHeader(bytes, at, end) {
        if (isPlausibleFrame(bytes, at, end))
            return true;
        // A larger frame, or one of an extension, is fine where the stream is known to be HTTP/2.
        if (frameSize(bytes, at) <= 1 << 20 && bytes[at + 5] < 0x80)
            return true;
        this.#lose();
        return false;
    }
    #isSkipped(bytes, at) {
        const type = bytes[at + 3];
        if (type === http2Frame.data)
            return !this.#events.wantsData(frameStream(bytes, at));
        const isRead = type === http2Frame.headers || type === http2Frame.continuation || type === http2Frame.pushPromise;
        return !isRead && type !== http2Frame.rstStream && type !== http2Frame.goAway;
    }
    #startSkip(bytes, at, chunk) {
        const type = bytes[at + 3];
        this.#skipped = {
            type,
            stream: frameStream(bytes, at),
            isEndOfStream: (bytes[at + 4] & frameFlag.endStream) !== 0,
        };
        this.#skipBytes = frameSize(bytes, at);
        if (this.#skipBytes === 0)
            this.#skip(0, chunk);
    }
    #skip(count, chunk) {
        this.#skipBytes -= count;
        if (this.#skipBytes > 0)
            return;
        const { type, stream, isEndOfStream } = this.#skipped;
        this.#events.onFrame(type, chunk);
        if (type === http2Frame.data)
            this.#events.onData({ stream, isEndOfStream, bytes: chunk.bytes, start: 0, end: 0 }, chunk);
    }
    #onFrame(bytes, at, chunk) {
        const type = bytes[at + 3];
        const stream = frameStream(bytes, at);
        const start = at + frameHeaderBytes;
        const end = start + frameSize(bytes, at);
        this.#events.onFrame(type, chunk);
        switch (type) {
            case http2Frame.rstStream:
                if (end - start >= 4)
                    this.#events.onReset(stream, u32(bytes, start), chunk);
                return;
            case http2Frame.goAway:
                if (end - start >= 8)
                    this.#events.onGoAway(u32(bytes, start + 4), chunk);
                return;
            case http2Frame.data:
                this.#onData(bytes, at, chunk);
                return;
            default:
                this.#onBlock(bytes, at, chunk);
        }
    }
    #onData(bytes, at, chunk) {
        const flags = bytes[at + 4];
        const { start, end } = content(bytes, at);
        const isEndOfStream = (flags & frameFlag.endStream) !== 0;
        this.#events.onData({ stream: frameStream(bytes, at), isEndOfStream, bytes, start, end }, chunk);
    }
    #onBlock(bytes, at, chunk) {
        const type = bytes[at + 3];
        const flags = bytes[at + 4];
        const { start, end } = content(bytes, at);
        if (type !== http2Frame.continuation) {
            this.#block.clear();
            this.#blockStream = frameStream(bytes, at);
            this.#isBlockEndOfStream = type === http2Frame.headers && (flags & frameFlag.endStream) !== 0;
            // The promised stream is another one: its request is of no interest, its fields change the table.
            if (type === http2Frame.pushPromise)
                this.#blockStream = 0;
        }
        const isWhole = (flags & frameFlag.endHeaders) !== 0;
        if (isWhole && this.#block.length === 0) {
            this.#onFields(this.#hpack.decode(bytes, start, end), chunk);
            return;
        }
        if (!this.#block.append(bytes, start, end))
            this.#hpack.clear();
        if (!isWhole)
            return;
        const fields = this.#hpack.decode(this.#block.bytes, 0, this.#block.length);
        this.#block.clear();
        this.#onFields(fields, chunk);
    }
    #onFields(fields, chunk) {
        if (this.#blockStream === 0)
            return;
        this.#events.onHeaders({ stream: this.#blockStream, fields, isEndOfStream: this.#isBlockEndOfStream }, chunk);
    }
    #hold(chunk, at) {
        if (!this.#pending.append(chunk.bytes, at, chunk.end))
            this.#lose();
        return chunk.end;
    }
    #lose() {
        this.#pending.clear();
        this.#block.clear();
        this.#skipBytes = 0;
        this.isLost = true;
    }
}
/** Of a HEADERS, PUSH_PROMISE, CONTINUATION or DATA frame: without the padding, the priority and the promised stream. */
function content(bytes, at) {
    const type = bytes[at + 3];
    const flags = bytes[at + 4];
    let start = at + frameHeaderBytes;
    let end = start + frameSize(bytes, at);
    if (type !== http2Frame.continuation && (flags & frameFlag.padded) !== 0 && start < end)
        end -= bytes[start++];
    if (type === http2Frame.headers && (flags & frameFlag.priority) !== 0)
        start += 5;
    if (type === http2Frame.pushPromise)
        start += 4;
    return start <= end ? { start, end } : { start: 0, end: 0 };
}

;// CONCATENATED MODULE: ./src/analysis/application/http1-head.ts

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const colon = 0x3a;
const questionMark = 0x3f;
const numberSign = 0x23;
const chunked = 'chunked';
const maxLengthDigitsCount = 15;
/** The methods that Wireshark 4.0 knows. A list: text that begins with another word is not HTTP. */
const methods = [
    ...['GET', 'PUT', 'POST', 'HEAD', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE', 'COPY', 'LOCK', 'MOVE', 'POLL'],
    ...[
        'BCOPY',
        'BMOVE',
        'MKCOL',
        'LABEL',
        'MERGE',
        'SEARCH',
        'UNLOCK',
        'REPORT',
        'UPDATE',
        'NOTIFY',
        'BDELETE',
        'CHECKIN',
    ],
    ...[
        'PROPFIND',
        'CHECKOUT',
        'CCM_POST',
        'SUBSCRIBE',
        'PROPPATCH',
        'BPROPFIND',
        'BPROPPATCH',
        'UNCHECKOUT',
        'MKACTIVITY',
    ],
    ...[
        'MKWORKSPACE',
        'RPC_CONNECT',
        'RPC_IN_DATA',
        'UNSUBSCRIBE',
        'RPC_OUT_DATA',
        'VERSION-CONTROL',
        'BASELINE-CONTROL',
    ],
    'SSTP_DUPLEX_POST',
].map((method) => `${method} `);
const responseStart = 'HTTP/';
/** What a message may begin with, by the first byte. */
const startsByFirstByte = Array.from({ length: 256 }, (_, byte) => [responseStart, ...methods].filter((text) => text.charCodeAt(0) === byte));
/** no method is longer, with its space */
const longestStartBytes = 17;
/** Whether a request or a response begins here: `maybe` where the bytes end too early to tell. */
function looksLikeHttp1(bytes, start, end) {
    if (start >= end)
        return 'maybe';
    const candidates = startsByFirstByte[bytes[start]];
    let isPrefix = false;
    for (let index = 0; index < candidates.length; index += 1) {
        const candidate = candidates[index];
        if (startsWithText(bytes, start, end, candidate))
            return 'yes';
        if (end - start < candidate.length)
            isPrefix ||= isStartOf(bytes, start, end, candidate);
    }
    return isPrefix ? 'maybe' : 'no';
}
function isStartOf(bytes, start, end, text) {
    return startsWithText(bytes, start, end, text.slice(0, end - start));
}
/** Whether the first line ends with a version: what Wireshark asks for on a port that is not HTTP's. */
function hasHttp1FirstLine(bytes, start, end) {
    if (startsWithText(bytes, start, end, 'HTTP/1.'))
        return true;
    const feed = indexOfByte(bytes, lineFeed, start, end);
    if (feed < 0)
        return false;
    const lineEnd = bytes[feed - 1] === carriageReturn ? feed - 1 : feed;
    return lineEnd - 8 > start && startsWithText(bytes, lineEnd - 8, lineEnd, 'HTTP/1.');
}
/** Position after the empty line that ends a head, -1 where it is not in these bytes. */
function findHeadEnd(bytes, from, end) {
    for (let feed = indexOfByte(bytes, lineFeed, from, end); feed >= 0; feed = indexOfByte(bytes, lineFeed, feed + 1, end)) {
        if (feed + 1 < end && bytes[feed + 1] === lineFeed)
            return feed + 2;
        if (feed + 2 < end && bytes[feed + 1] === carriageReturn && bytes[feed + 2] === lineFeed)
            return feed + 3;
    }
    return -1;
}
/** Reads a head, or what there is of one that was cut. Undefined where the first line is neither a request nor a response. */
function readHead(bytes, start, end, seen) {
    if (looksLikeHttp1(bytes, start, end) !== 'yes')
        return undefined;
    const head = new ReadHead(seen.startTimeNs, seen.frameNumber);
    let feed = indexOfByte(bytes, lineFeed, start, end);
    head.readFirstLine(bytes, start, lineEndAt(bytes, start, feed, end));
    while (feed >= 0 && feed + 1 < end) {
        const lineStart = feed + 1;
        feed = indexOfByte(bytes, lineFeed, lineStart, end);
        head.readHeader(bytes, lineStart, lineEndAt(bytes, lineStart, feed, end));
    }
    return head;
}
/** The end of a line without its CR LF; `feed`: where its LF is, -1: it is not there. */
function lineEndAt(bytes, start, feed, end) {
    if (feed < 0)
        return end;
    return feed > start && bytes[feed - 1] === carriageReturn ? feed - 1 : feed;
}
class ReadHead {
    isRequest = false;
    method = '';
    path = '';
    status = 0;
    host = undefined;
    contentType = '';
    contentLength = undefined;
    isChunked = false;
    isUpgrade = false;
    startTimeNs;
    frameNumber;
    constructor(startTimeNs, frameNumber) {
        this.startTimeNs = startTimeNs;
        this.frameNumber = frameNumber;
    }
    readFirstLine(bytes, start, end) {
        this.isRequest = !startsWithText(bytes, start, end, responseStart);
        const gap = indexOfByte(bytes, space, start, end);
        if (gap < 0)
            return;
        if (!this.isRequest) {
            if (end - gap > 3)
                this.status = Math.max(0, numberAt(bytes, gap + 1, gap + 4));
            return;
        }
        const next = indexOfByte(bytes, space, gap + 1, end);
        let pathEnd = gap + 1;
        const lineEnd = next < 0 ? end : next;
        while (pathEnd < lineEnd && bytes[pathEnd] !== questionMark && bytes[pathEnd] !== numberSign)
            pathEnd += 1;
        this.method = rawText(bytes, start, gap);
        this.path = rawText(bytes, gap + 1, pathEnd);
    }
    readHeader(bytes, start, end) {
        const mark = indexOfByte(bytes, colon, start, end);
        if (mark < 0)
            return;
        switch (mark - start) {
            case 4:
                if (isName(bytes, start, 'host'))
                    this.host ??= headerValue(bytes, mark + 1, end);
                break;
            case 7:
                if (isName(bytes, start, 'upgrade'))
                    this.isUpgrade = true;
                break;
            case 12:
                if (isName(bytes, start, 'content-type'))
                    this.contentType = headerValue(bytes, mark + 1, end);
                break;
            case 14:
                if (isName(bytes, start, 'content-length'))
                    this.contentLength = lengthAt(bytes, mark + 1, end);
                break;
            case 17:
                if (isName(bytes, start, 'transfer-encoding'))
                    this.isChunked = isChunkedAt(bytes, mark + 1, end);
        }
    }
}
/** Whether the header's name is this one, which is in small letters. */
function isName(bytes, start, name) {
    for (let index = 0; index < name.length; index += 1) {
        const byte = bytes[start + index];
        const lower = byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
        if (lower !== name.charCodeAt(index))
            return false;
    }
    return true;
}
function headerValue(bytes, start, end) {
    const from = valueStart(bytes, start, end);
    return rawText(bytes, from, valueEnd(bytes, from, Math.min(end, from + raw_text_maxTextBytes)));
}
/** The number of a header whose value is nothing else. */
function lengthAt(bytes, start, end) {
    const from = valueStart(bytes, start, end);
    const stop = valueEnd(bytes, from, Math.min(end, from + raw_text_maxTextBytes));
    if (stop === from || stop - from > maxLengthDigitsCount)
        return undefined;
    const length = numberAt(bytes, from, stop);
    return length < 0 ? undefined : length;
}
function isChunkedAt(bytes, start, end) {
    const from = valueStart(bytes, start, end);
    return end - from >= chunked.length && isName(bytes, from, chunked);
}
function valueStart(bytes, start, end) {
    let from = start;
    while (from < end && (bytes[from] === space || bytes[from] === 0x09))
        from += 1;
    return from;
}
/** Without white space at the end. */
function valueEnd(bytes, from, end) {
    let stop = end;
    while (stop > from && isSpace(bytes[stop - 1]))
        stop -= 1;
    return stop;
}
function isSpace(byte) {
    return byte === space || (byte >= 0x09 && byte <= 0x0d) || byte === 0xa0;
}
/** The number that the bytes say, -1 where one is no digit. */
function numberAt(bytes, start, end) {
    let value = 0;
    for (let at = start; at < end; at += 1) {
        const digit = bytes[at] - 0x30;
        if (digit < 0 || digit > 9)
            return -1;
        value = value * 10 + digit;
    }
    return value;
}
function indexOfByte(bytes, byte, from, end) {
    for (let at = from; at < end; at++)
        if (bytes[at] === byte)
            return at;
    return -1;
}

;// CONCATENATED MODULE: ./src/analysis/application/http1-parser.ts


const maxHeadBytes = 64 * 1024;
/** as Wireshark */
const maxChunkBytes = 2 ** 31;
const http1_parser_lineFeed = 0x0a;
/** HTTP/1 messages of one direction: heads are read, bodies are counted off. */
class Http1Parser {
    #events;
    #pending;
    #state = 'start';
    #head;
    #isReported = false;
    /** of this message: holes in its body */
    #missingBytes = 0;
    #isStartLate = false;
    #isLate = false;
    /** of the body or the chunk */
    #remainingBytes = 0;
    #isLineEmpty = true;
    #headStart = { startTimeNs: 0, frameNumber: 0 };
    #lastTimeNs = 0;
    constructor(events, budget) {
        this.#events = events;
        this.#pending = new PendingBytes(budget, maxHeadBytes);
    }
    get isLost() {
        return this.#state === 'lost';
    }
    get skippableBytes() {
        if (this.#state === 'until close')
            return Infinity;
        return this.#state === 'length' || this.#state === 'chunk data' ? this.#remainingBytes : 0;
    }
    resume() {
        this.#state = 'start';
    }
    onChunk(chunk) {
        this.#lastTimeNs = chunk.timeNs;
        this.#isLate = chunk.isLate;
        let at = chunk.start;
        while (at < chunk.end)
            at = this.#step(chunk, at);
    }
    onGap(byteCount, wasCut) {
        if (wasCut && this.#state === 'head') {
            // Whether a body follows, and how long it is, may be in what was cut off.
            this.#onHead(readHead(this.#pending.bytes, 0, this.#pending.length, this.#headStart));
            this.#complete();
            this.#lose();
            return;
        }
        if (wasCut)
            this.#complete();
        else
            this.#missingBytes += byteCount;
        if (byteCount <= this.skippableBytes) {
            if (this.#state !== 'until close')
                this.#skip(byteCount);
            return;
        }
        this.#lose();
    }
    onGapFilled(byteCount) {
        this.#missingBytes = Math.max(this.#missingBytes - byteCount, 0);
    }
    onClose(by) {
        if (this.#state === 'until close' && by === 'fin')
            this.#complete();
        this.#lose();
    }
    /** Returns the position of the first byte that was not used. */
    #step(chunk, at) {
        switch (this.#state) {
            case 'start':
                return this.#onStart(chunk, at);
            case 'head':
                return this.#onHeadBytes(chunk, at);
            case 'length':
            case 'chunk data': {
                const count = Math.min(this.#remainingBytes, chunk.end - at);
                this.#skip(count);
                return at + count;
            }
            case 'chunk size':
                return this.#onChunkSize(chunk.bytes[at], at);
            case 'chunk line':
            case 'chunk end':
                if (chunk.bytes[at] === http1_parser_lineFeed)
                    this.#onChunkLineEnd();
                return at + 1;
            case 'trailer':
                this.#onTrailerByte(chunk.bytes[at]);
                return at + 1;
            case 'until close':
            case 'lost':
                return chunk.end;
        }
    }
    #onStart(chunk, at) {
        const byte = chunk.bytes[at];
        // RFC 9112, 2.2: empty lines before a request are ignored.
        if (byte === http1_parser_lineFeed || byte === 0x0d)
            return at + 1;
        if (looksLikeHttp1(chunk.bytes, at, chunk.end) === 'no') {
            this.#lose();
            return at;
        }
        this.#headStart = { startTimeNs: chunk.timeNs, frameNumber: chunk.frameNumber };
        this.#isStartLate = chunk.isLate;
        this.#state = 'head';
        return at;
    }
    #onHeadBytes(chunk, at) {
        const held = this.#pending.length;
        if (held === 0) {
            const end = findHeadEnd(chunk.bytes, at, chunk.end);
            if (end >= 0) {
                this.#onHead(readHead(chunk.bytes, at, end, this.#headStart));
                return end;
            }
        }
        if (!this.#pending.append(chunk.bytes, at, chunk.end)) {
            this.#lose();
            return chunk.end;
        }
        if (held < longestStartBytes && looksLikeHttp1(this.#pending.bytes, 0, this.#pending.length) === 'no') {
            this.#lose();
            return chunk.end;
        }
        const end = findHeadEnd(this.#pending.bytes, Math.max(held - 3, 0), this.#pending.length);
        if (end < 0)
            return chunk.end;
        const head = readHead(this.#pending.bytes, 0, end, this.#headStart);
        this.#pending.clear();
        this.#onHead(head);
        return at + end - held;
    }
    #onHead(head) {
        if (head === undefined) {
            this.#lose();
            return;
        }
        this.#head = head;
        this.#isReported = false;
        this.#missingBytes = 0;
        const next = this.#events.onHead(head);
        if (next === 'another protocol') {
            this.#complete();
            this.#lose();
        }
        else if (next === 'no body')
            this.#endMessage();
        else if (head.isChunked)
            this.#startChunk();
        else if (head.contentLength !== undefined) {
            this.#remainingBytes = head.contentLength;
            this.#state = 'length';
            this.#skip(0);
        }
        else if (head.isRequest)
            this.#endMessage();
        else
            this.#state = 'until close';
    }
    #skip(count) {
        this.#remainingBytes -= count;
        if (this.#remainingBytes > 0)
            return;
        if (this.#state === 'length')
            this.#endMessage();
        else
            this.#state = 'chunk end';
    }
    #startChunk() {
        this.#remainingBytes = 0;
        this.#isLineEmpty = true;
        this.#state = 'chunk size';
    }
    #onChunkSize(byte, at) {
        const digit = hexDigit(byte);
        if (digit >= 0) {
            this.#isLineEmpty = false;
            this.#remainingBytes = this.#remainingBytes * 16 + digit;
            if (this.#remainingBytes <= maxChunkBytes)
                return at + 1;
        }
        else if (!this.#isLineEmpty) {
            this.#state = 'chunk line';
            return at;
        }
        // Not a size: it is unknown where the next message starts.
        this.#complete();
        this.#lose();
        return at;
    }
    #onChunkLineEnd() {
        if (this.#state === 'chunk end')
            this.#startChunk();
        else if (this.#remainingBytes > 0)
            this.#state = 'chunk data';
        else {
            this.#isLineEmpty = true;
            this.#state = 'trailer';
        }
    }
    #onTrailerByte(byte) {
        if (byte !== http1_parser_lineFeed) {
            if (byte !== 0x0d)
                this.#isLineEmpty = false;
        }
        else if (this.#isLineEmpty)
            this.#endMessage();
        else
            this.#isLineEmpty = true;
    }
    #endMessage() {
        this.#complete();
        this.#head = undefined;
        this.#state = 'start';
    }
    #complete() {
        if (this.#head === undefined || this.#isReported)
            return;
        this.#isReported = true;
        this.#events.onComplete(this.#head, this.#lastTimeNs, this.#missingBytes === 0 && !this.#isLate && !this.#isStartLate);
    }
    #lose() {
        this.#pending.clear();
        this.#head = undefined;
        this.#state = 'lost';
    }
}
function hexDigit(byte) {
    if (byte >= 0x30 && byte <= 0x39)
        return byte - 0x30;
    const lower = byte | 0x20;
    return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

;// CONCATENATED MODULE: ./src/analysis/application/dns-stream-parser.ts


const lengthBytes = 2;
const maxMessageBytes = 65_535 + lengthBytes;
/** DNS messages of one direction of a TCP connection (RFC 1035, 4.2.2). */
class DnsStreamParser {
    #onMessage;
    #pending;
    #last;
    isLost = false;
    skippableBytes = 0;
    constructor(onMessage, budget) {
        this.#onMessage = onMessage;
        this.#pending = new PendingBytes(budget, maxMessageBytes);
    }
    resume() {
        this.isLost = false;
    }
    onChunk(chunk) {
        this.#last = chunk;
        let at = chunk.start;
        while (at < chunk.end && !this.isLost)
            at = this.#pending.length > 0 ? this.#onMore(chunk, at) : this.#onStart(chunk, at);
    }
    onGap(_byteCount, wasCut) {
        const { bytes, length } = this.#pending;
        if (wasCut && this.#last !== undefined && length > lengthBytes)
            this.#onMessage(bytes, lengthBytes, length, this.#last);
        this.#lose();
    }
    onClose() {
        this.#lose();
    }
    #onStart(chunk, at) {
        const { bytes, end } = chunk;
        if (end - at < lengthBytes)
            return this.#hold(chunk, at);
        const next = at + lengthBytes + u16(bytes, at);
        if (next > end)
            return this.#hold(chunk, at);
        this.#onMessage(bytes, at + lengthBytes, next, chunk);
        return next;
    }
    #onMore(chunk, at) {
        const { length } = this.#pending;
        const wanted = length < lengthBytes ? lengthBytes : this.#messageEnd();
        const next = Math.min(at + wanted - length, chunk.end);
        if (!this.#pending.append(chunk.bytes, at, next)) {
            this.#lose();
            return chunk.end;
        }
        if (this.#pending.length < lengthBytes || this.#pending.length < this.#messageEnd())
            return next;
        this.#onMessage(this.#pending.bytes, lengthBytes, this.#pending.length, chunk);
        this.#pending.clear();
        return next;
    }
    #messageEnd() {
        return lengthBytes + u16(this.#pending.bytes, 0);
    }
    #hold(chunk, at) {
        if (!this.#pending.append(chunk.bytes, at, chunk.end))
            this.#lose();
        return chunk.end;
    }
    #lose() {
        this.#pending.clear();
        this.isLost = true;
    }
}

;// CONCATENATED MODULE: ./src/analysis/application/stream-direction.ts


/** Segments that wait for one before them. */
const stream_direction_maxHeldBytes = 256 * 1024;
const maxHeldSegmentsCount = 64;
const stream_direction_maxHolesCount = 16;
/** The longest start that a protocol is recognised by: a request line. */
const maxStartBytes = 8 * 1024;
const chunk = new StreamChunk();
/**
 * One direction of a TCP connection: puts its segments in order, each byte once, and hands them to the parser that its first bytes ask for.
 * A segment that comes too early waits, bounded; where the missing one does not come, the parser starts again at the next segment.
 */
class StreamDirection {
    /** 0 or 1, see `DecodedPacket.direction` */
    index;
    #detector;
    #budget;
    #next = -1;
    #parser;
    #start;
    #held = [];
    #heldBytes = 0;
    #holes;
    #finSequence = -1;
    isClosed = false;
    constructor(index, detector, budget) {
        this.index = index;
        this.#detector = detector;
        this.#budget = budget;
    }
    /** What the direction sent before its first payload is known: the number of its first byte. */
    expect(sequence) {
        if (this.#next < 0)
            this.#next = sequence;
    }
    /** A segment with payload: `segment.bytes` from `start` to `end`, and `cutBytes` more that were not captured. */
    onSegment(sequence, segment, cutBytes) {
        this.expect(sequence);
        const ahead = distance(this.#next, sequence);
        if (ahead > 0) {
            this.#onEarly(ahead, sequence, segment, cutBytes);
            return;
        }
        if (this.#holes !== undefined && !segment.isRepeat)
            this.#fillHoles(sequence, segment.end - segment.start);
        this.#deliver(segment, -ahead, cutBytes);
        if (this.#held.length > 0)
            this.#deliverHeld(false, segment.isLate);
        if (this.#finSequence >= 0)
            this.onFin(this.#finSequence);
    }
    /** A FIN, with the number of the byte after the last one: it counts when all bytes before it are there. */
    onFin(sequence) {
        this.#finSequence = sequence;
        if (this.#next < 0 || distance(this.#next, sequence) <= 0)
            this.onClose('fin');
    }
    onClose(by) {
        if (this.isClosed)
            return;
        this.isClosed = true;
        if (this.#held.length > 0)
            this.#deliverHeld(true);
        this.#parser?.onClose(by);
        this.#start?.clear();
        this.#start = undefined;
    }
    /** `skipBytes` of the segment were seen before. */
    #deliver(segment, skipBytes, cutBytes) {
        const length = segment.end - segment.start;
        if (skipBytes >= length + cutBytes)
            return;
        const skipped = Math.min(skipBytes, length);
        this.#next = (this.#next + length + cutBytes - skipBytes) >>> 0;
        chunk.bytes = segment.bytes;
        chunk.start = segment.start + skipped;
        chunk.end = segment.end;
        chunk.timeNs = segment.timeNs;
        chunk.frameNumber = segment.frameNumber;
        chunk.isLate = segment.isLate;
        if (chunk.start < chunk.end)
            this.#parse();
        const missingBytes = cutBytes - (skipBytes - skipped);
        if (cutBytes > 0)
            this.#onMissing(missingBytes, true);
    }
    #parse() {
        if (this.#parser !== undefined && !this.#parser.isLost) {
            this.#parser.onChunk(chunk);
            return;
        }
        if (this.#start !== undefined && !this.#joinStart(this.#start))
            return;
        const found = this.#detector.detect(this, chunk);
        if (found === 'more') {
            this.#start ??= new PendingBytes(this.#budget, maxStartBytes);
            this.#start.append(chunk.bytes, chunk.start, chunk.end);
            return;
        }
        if (found === undefined)
            return;
        if (found === this.#parser)
            found.resume();
        this.#parser = found;
        found.onChunk(chunk);
    }
    /** Puts the bytes that were too few to recognise anything in front of the chunk. */
    #joinStart(start) {
        this.#start = undefined;
        if (start.length === 0)
            return true;
        const isJoined = start.append(chunk.bytes, chunk.start, chunk.end);
        if (isJoined) {
            chunk.bytes = start.bytes.slice(0, start.length);
            chunk.start = 0;
            chunk.end = chunk.bytes.length;
        }
        start.clear();
        return isJoined;
    }
    #onMissing(byteCount, wasCut) {
        this.#start?.clear();
        this.#start = undefined;
        if (this.#parser !== undefined && !this.#parser.isLost)
            this.#parser.onGap(byteCount, wasCut);
    }
    #onEarly(ahead, sequence, segment, cutBytes) {
        const isParsing = this.#parser !== undefined && !this.#parser.isLost;
        const canSkip = isParsing && this.#held.length === 0 && this.#parser.skippableBytes >= ahead;
        if (canSkip) {
            // The hole is in bytes that are not read.
            this.#holes ??= [];
            if (this.#holes.length >= stream_direction_maxHolesCount)
                this.#holes.shift();
            this.#holes.push({ start: this.#next, end: sequence });
            this.#onMissing(ahead, false);
            this.#next = sequence;
            this.#deliver(segment, 0, cutBytes);
            return;
        }
        const sizeBytes = segment.end - segment.start;
        const hasRoom = this.#held.length < maxHeldSegmentsCount && this.#heldBytes + sizeBytes <= stream_direction_maxHeldBytes;
        if (hasRoom && this.#budget.take(sizeBytes)) {
            this.#heldBytes += sizeBytes;
            this.#held.push({
                sequence,
                bytes: segment.bytes.slice(segment.start, segment.end),
                cutBytes,
                timeNs: segment.timeNs,
                frameNumber: segment.frameNumber,
            });
            return;
        }
        this.#deliverHeld(true);
        const gap = distance(this.#next, sequence);
        if (gap > 0) {
            this.#onMissing(gap, false);
            this.#next = sequence;
        }
        this.#deliver(segment, Math.max(-gap, 0), cutBytes);
    }
    #fillHoles(sequence, length) {
        for (const hole of this.#holes ?? []) {
            // Mostly a hole is filled from its start, segment by segment.
            const filled = Math.min(distance(hole.start, (sequence + length) >>> 0), distance(hole.start, hole.end));
            if (distance(hole.start, sequence) > 0 || filled <= 0)
                continue;
            hole.start = (hole.start + filled) >>> 0;
            this.#parser?.onGapFilled?.(filled);
        }
    }
    /** `all`: what is missing will not come any more. `isLate`: the segment that they waited for. */
    #deliverHeld(all, isLate = false) {
        this.#held.sort((a, b) => distance(b.sequence, a.sequence));
        let count = 0;
        for (const held of this.#held) {
            const ahead = distance(this.#next, held.sequence);
            if (ahead > 0) {
                if (!all)
                    break;
                this.#onMissing(ahead, false);
                this.#next = held.sequence;
            }
            count++;
            this.#heldBytes -= held.bytes.length;
            this.#budget.release(held.bytes.length);
            const { bytes, timeNs, frameNumber, cutBytes } = held;
            this.#deliver({ bytes, start: 0, end: bytes.length, timeNs, frameNumber, isLate, isRepeat: false }, Math.max(-ahead, 0), cutBytes);
        }
        this.#held = this.#held.slice(count);
    }
}
/** How far `to` is after `from`, modulo 2^32. */
function distance(from, to) {
    return (to - from) | 0;
}

;// CONCATENATED MODULE: ./src/analysis/application/tls-parser.ts


const tls_parser_headerBytes = 5;
/** RFC 5246, 6.2.3: 2^14 and 2048 more for what encryption adds */
const maxRecordBytes = 16_384 + 2048;
/** a chain of certificates */
const maxHandshakeBytes = 128 * 1024;
const tlsRecord = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23, heartbeat: 24 };
const tlsHandshake = { clientHello: 1, serverHello: 2, certificate: 11 };
/** Whether a TLS record begins here: `maybe` where the bytes end too early to tell. */
function looksLikeTls(bytes, start, end) {
    const length = end - start;
    if (length < 1)
        return 'maybe';
    const type = bytes[start];
    if (type < tlsRecord.changeCipherSpec || type > tlsRecord.heartbeat)
        return 'no';
    if (length < 2)
        return 'maybe';
    if (bytes[start + 1] !== 3)
        return 'no';
    if (length < tls_parser_headerBytes)
        return 'maybe';
    const sizeBytes = u16(bytes, start + 3);
    return bytes[start + 2] <= 4 && sizeBytes > 0 && sizeBytes <= maxRecordBytes ? 'yes' : 'no';
}
/** TLS records of one direction: application data is counted off, handshakes and alerts in clear are read. */
class TlsParser {
    #events;
    #record;
    #handshake;
    /** bytes of application data that are left of a record */
    #skipBytes = 0;
    #isEncrypted = false;
    isLost = false;
    #last;
    constructor(events, budget) {
        this.#events = events;
        this.#record = new PendingBytes(budget, maxRecordBytes + tls_parser_headerBytes);
        this.#handshake = new PendingBytes(budget, maxHandshakeBytes);
    }
    get skippableBytes() {
        return this.#skipBytes;
    }
    resume() {
        this.isLost = false;
    }
    onChunk(chunk) {
        this.#last = chunk;
        let at = chunk.start;
        while (at < chunk.end && !this.isLost) {
            if (this.#skipBytes > 0) {
                const count = Math.min(this.#skipBytes, chunk.end - at);
                this.#skipBytes -= count;
                at += count;
            }
            else if (this.#record.length > 0)
                at = this.#onMore(chunk, at);
            else
                at = this.#onRecordStart(chunk, at);
        }
    }
    onGap(byteCount, wasCut) {
        if (this.#skipBytes >= byteCount) {
            this.#skipBytes -= byteCount;
            return;
        }
        const { bytes, length } = this.#record;
        if (wasCut && this.#last !== undefined && length > tls_parser_headerBytes && bytes[0] === tlsRecord.handshake) {
            this.#onHandshakeBytes({ bytes, start: tls_parser_headerBytes, end: length }, this.#last, true);
        }
        this.#lose();
    }
    onClose(by) {
        this.#lose();
        this.#events.onClose(by);
    }
    #onRecordStart(chunk, at) {
        const { bytes, end } = chunk;
        const isRecord = looksLikeTls(bytes, at, end);
        if (isRecord === 'no') {
            this.#lose();
            return end;
        }
        if (isRecord === 'maybe')
            return this.#hold(chunk, at);
        const type = bytes[at];
        const bodyEnd = at + tls_parser_headerBytes + u16(bytes, at + 3);
        if (type === tlsRecord.applicationData) {
            this.#events.onRecord(type, bodyEnd - at - tls_parser_headerBytes, chunk);
            this.#skipBytes = bodyEnd - at - tls_parser_headerBytes;
            return at + tls_parser_headerBytes;
        }
        if (bodyEnd > end)
            return this.#hold(chunk, at);
        this.#onBody({ bytes, start: at + tls_parser_headerBytes, end: bodyEnd }, type, chunk);
        return bodyEnd;
    }
    /** Adds to a record that began in an earlier segment: first its header, then exactly its body. */
    #onMore(chunk, at) {
        const { length } = this.#record;
        const wanted = length < tls_parser_headerBytes ? tls_parser_headerBytes : tls_parser_headerBytes + this.#heldBodyBytes();
        const next = Math.min(at + wanted - length, chunk.end);
        if (!this.#record.append(chunk.bytes, at, next)) {
            this.#lose();
            return chunk.end;
        }
        if (this.#record.length < tls_parser_headerBytes)
            return next;
        const { bytes } = this.#record;
        if (length < tls_parser_headerBytes) {
            if (looksLikeTls(bytes, 0, tls_parser_headerBytes) !== 'yes') {
                this.#lose();
                return chunk.end;
            }
            if (bytes[0] === tlsRecord.applicationData) {
                this.#skipBytes = this.#heldBodyBytes();
                this.#events.onRecord(bytes[0], this.#skipBytes, chunk);
                this.#record.clear();
                return next;
            }
        }
        const bodyBytes = this.#heldBodyBytes();
        if (this.#record.length < tls_parser_headerBytes + bodyBytes)
            return next;
        this.#onBody({ bytes, start: tls_parser_headerBytes, end: tls_parser_headerBytes + bodyBytes }, bytes[0], chunk);
        this.#record.clear();
        return next;
    }
    #heldBodyBytes() {
        return u16(this.#record.bytes, 3);
    }
    #hold(chunk, at) {
        if (!this.#record.append(chunk.bytes, at, chunk.end))
            this.#lose();
        return chunk.end;
    }
    #onBody(body, type, chunk) {
        const { bytes, start, end } = body;
        this.#events.onRecord(type, end - start, chunk);
        if (type === tlsRecord.changeCipherSpec)
            this.#isEncrypted = true;
        // An encrypted alert is longer: it has at least a nonce or a MAC.
        else if (type === tlsRecord.alert && end - start === 2)
            this.#events.onAlert(bytes[start], bytes[start + 1], chunk);
        else if (type === tlsRecord.handshake)
            this.#onHandshakeRecord(body, chunk);
    }
    #onHandshakeRecord(body, chunk) {
        // In TLS 1.3 a client may send a second ClientHello after a change_cipher_spec that means nothing (RFC 8446, D.4).
        if (this.#isEncrypted && !isHello(body))
            return;
        if (this.#handshake.length === 0) {
            const rest = this.#onHandshakeBytes(body, chunk, false);
            if (rest < body.end && !this.#handshake.append(body.bytes, rest, body.end))
                this.#handshake.clear();
            return;
        }
        if (!this.#handshake.append(body.bytes, body.start, body.end))
            return;
        const { bytes, length } = this.#handshake;
        const rest = this.#onHandshakeBytes({ bytes, start: 0, end: length }, chunk, false);
        if (rest === 0)
            return;
        const left = bytes.slice(rest, length);
        this.#handshake.clear();
        if (left.length > 0)
            this.#handshake.append(left, 0, left.length);
    }
    /** Returns the position of the first message that is not whole. */
    #onHandshakeBytes(body, chunk, isCut) {
        const { bytes, end } = body;
        let at = body.start;
        while (at + 4 <= end) {
            const next = at + 4 + u24(bytes, at + 1);
            if (next > end && !isCut)
                break;
            this.#events.onHandshake({ type: bytes[at], bytes, start: at + 4, end: Math.min(next, end) }, chunk);
            at = next;
        }
        return at;
    }
    #lose() {
        this.#record.clear();
        this.#handshake.clear();
        this.#skipBytes = 0;
        this.isLost = true;
    }
}
function isHello({ bytes, start, end }) {
    if (end - start < 6 || (bytes[start] !== tlsHandshake.clientHello && bytes[start] !== tlsHandshake.serverHello)) {
        return false;
    }
    return bytes[start + 1] === 0 && bytes[start + 4] === 3 && bytes[start + 5] <= 4;
}

;// CONCATENATED MODULE: ./src/analysis/application/certificate.ts

const tagInteger = 0x02;
const tagSequence = 0x30;
const tagUtcTime = 0x17;
const tagGeneralizedTime = 0x18;
const tagVersion = 0xa0;
const tagExtensions = 0xa3;
/** 2.5.29.17, subject alternative name, with its tag and length */
const subjectAlternativeName = [0x06, 0x03, 0x55, 0x1d, 0x11];
const maxNamesCount = 16;
/** Reads an X.509 certificate in DER. Undefined where it is not one, or is cut before the validity. */
function readCertificate(bytes, start, end) {
    const certificate = sequence(certificate_element(bytes, start, end));
    const body = certificate && sequence(certificate_element(bytes, certificate.start, certificate.end));
    const validity = body && findValidity(bytes, body);
    if (validity === undefined)
        return undefined;
    const notBefore = certificate_element(bytes, validity.start, validity.end);
    const notBeforeSeconds = notBefore && readTime(bytes, notBefore);
    const notAfter = notBefore && certificate_element(bytes, notBefore.end, validity.end);
    const notAfterSeconds = notAfter && readTime(bytes, notAfter);
    if (notBeforeSeconds === undefined || notAfterSeconds === undefined)
        return undefined;
    let next = certificate_element(bytes, validity.end, body.end);
    while (next !== undefined && next.tag !== tagExtensions)
        next = certificate_element(bytes, next.end, body.end);
    return { notBeforeSeconds, notAfterSeconds, names: next === undefined ? [] : readNames(bytes, next) };
}
function sequence(found) {
    return found?.tag === tagSequence ? found : undefined;
}
/** After the version (which may be missing), the serial number, the signature algorithm and the issuer. */
function findValidity(bytes, body) {
    let at = certificate_element(bytes, body.start, body.end);
    if (at?.tag === tagVersion)
        at = certificate_element(bytes, at.end, body.end);
    if (at?.tag !== tagInteger)
        return undefined;
    for (let skipped = 0; skipped < 3 && at !== undefined; skipped++)
        at = certificate_element(bytes, at.end, body.end);
    return at?.tag === tagSequence ? at : undefined;
}
/** The element at `start`; one that ends after `end` is cut there. */
function certificate_element(bytes, start, end) {
    if (start + 2 > end)
        return undefined;
    let length = bytes[start + 1];
    let at = start + 2;
    if (length >= 0x80) {
        const count = length & 0x7f;
        if (count === 0 || count > 3 || at + count > end)
            return undefined;
        length = 0;
        for (let index = 0; index < count; index++)
            length = length * 256 + bytes[at++];
    }
    return { tag: bytes[start], start: at, end: Math.min(at + length, end) };
}
function readTime(bytes, time) {
    const text = rawText(bytes, time.start, time.end);
    const match = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?Z$/.exec(text);
    if (match === null)
        return undefined;
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
        .slice(1)
        .map((part) => Number(part ?? 0));
    if (time.tag === tagGeneralizedTime)
        return Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
    // RFC 5280, 4.1.2.5.1
    const century = year >= 50 ? 1900 : 2000;
    return time.tag === tagUtcTime ? Date.UTC(century + year, month - 1, day, hour, minute, second) / 1000 : undefined;
}
function readNames(bytes, extensions) {
    const list = certificate_element(bytes, extensions.start, extensions.end);
    let extension = list === undefined ? undefined : certificate_element(bytes, list.start, list.end);
    while (list !== undefined && extension !== undefined) {
        const { start } = extension;
        if (subjectAlternativeName.every((byte, index) => bytes[start + index] === byte)) {
            return readGeneralNames(bytes, extension);
        }
        extension = certificate_element(bytes, extension.end, list.end);
    }
    return [];
}
function readGeneralNames(bytes, extension) {
    let value = certificate_element(bytes, extension.start + subjectAlternativeName.length, extension.end);
    // the "critical" flag
    if (value?.tag === 0x01)
        value = certificate_element(bytes, value.end, extension.end);
    const list = value === undefined ? undefined : certificate_element(bytes, value.start, value.end);
    const names = [];
    let name = list === undefined ? undefined : certificate_element(bytes, list.start, list.end);
    while (list !== undefined && name !== undefined && names.length < maxNamesCount) {
        // dNSName [2]
        if (name.tag === 0x82)
            names.push(rawText(bytes, name.start, name.end));
        name = certificate_element(bytes, name.end, list.end);
    }
    return names;
}

;// CONCATENATED MODULE: ./src/analysis/application/tls-hello.ts


const extensionServerName = 0;
const extensionAlpn = 16;
const extensionSupportedVersions = 43;
const tls_hello_maxListedCount = 16;
/** Reads a hello's body from `start` up to `end`. A field that is not whole is left out. */
function readHello(bytes, start, end, isClient) {
    const hello = { legacyVersion: undefined, serverName: undefined, alpn: [], versions: [] };
    if (start + 2 > end)
        return hello;
    hello.legacyVersion = u16(bytes, start);
    // version, random, session id
    let at = start + 34;
    if (at >= end)
        return hello;
    at += 1 + bytes[at];
    if (isClient) {
        if (at + 2 > end)
            return hello;
        at += 2 + u16(bytes, at);
        if (at >= end)
            return hello;
        at += 1 + bytes[at];
    }
    else {
        at += 3;
    }
    if (at + 2 > end)
        return hello;
    const extensionsEnd = Math.min(at + 2 + u16(bytes, at), end);
    at += 2;
    while (at + 4 <= extensionsEnd) {
        const next = at + 4 + u16(bytes, at + 2);
        readExtension(hello, bytes, { type: u16(bytes, at), start: at + 4, end: Math.min(next, extensionsEnd) });
        at = next;
    }
    return hello;
}
function readExtension(hello, bytes, { type, start, end }) {
    if (type === extensionServerName)
        hello.serverName ??= readServerName(bytes, start, end);
    else if (type === extensionAlpn)
        readAlpn(hello.alpn, bytes, start, end);
    else if (type === extensionSupportedVersions)
        readVersions(hello.versions, bytes, start, end);
}
/** The first name of type host_name; an empty extension is the server's acknowledgement. */
function readServerName(bytes, start, end) {
    if (start + 5 > end || bytes[start + 2] !== 0)
        return undefined;
    const nameEnd = start + 5 + u16(bytes, start + 3);
    return nameEnd <= end ? rawText(bytes, start + 5, nameEnd) : undefined;
}
function readAlpn(list, bytes, start, end) {
    let at = start + 2;
    while (at < end && list.length < tls_hello_maxListedCount) {
        const next = at + 1 + bytes[at];
        if (next > end)
            return;
        list.push(rawText(bytes, at + 1, next));
        at = next;
    }
}
function readVersions(list, bytes, start, end) {
    // A server sends one version, a client a list with its length in front.
    let at = end - start === 2 ? start : start + 1;
    for (; at + 2 <= end && list.length < tls_hello_maxListedCount; at += 2) {
        const version = u16(bytes, at);
        if ((version & 0x0f0f) !== 0x0a0a)
            list.push(version);
    }
}

// EXTERNAL MODULE: ./src/analysis/application/tls-names.ts
var tls_names = __webpack_require__(68979);
;// CONCATENATED MODULE: ./src/analysis/application/tls-connections.ts




const maxGroupsCount = 1000;
/** Handshakes by server, and those that failed. */
class TlsConnections {
    #failures = new Map();
    #certificates = new Map();
    /** when the handshakes began that failed */
    failureTimes = new TimeBuckets();
    /** handshakes by the version that the server selected, a number */
    versions = new TextCounts();
    handshakeCount = 0;
    failedCount = 0;
    /** ended without data of both sides, but only one side was captured */
    oneSidedCount = 0;
    overflowCount = 0;
    create() {
        return {
            helloFrame: 0,
            firstTimeNs: 0,
            lastTimeNs: 0,
            serverName: undefined,
            offeredVersions: [],
            offeredAlpn: [],
            selectedVersion: undefined,
            selectedAlpn: undefined,
            certificate: undefined,
            fatalAlert: undefined,
            hasClientData: false,
            hasServerData: false,
            closedBy: undefined,
            foreignAnswer: undefined,
            foreignRequest: undefined,
        };
    }
    /** `connection` is over. `isWhole`: packets of both directions were captured. */
    add(connection, ends, isWhole) {
        const server = serverKey(ends);
        this.handshakeCount++;
        const { serverName, certificate, selectedVersion } = connection;
        if (selectedVersion !== undefined)
            this.versions.add(String(selectedVersion), connection.helloFrame);
        if (certificate !== undefined) {
            const seen = this.#find(this.#certificates, `${server} ${serverName} ${certificate.notAfterSeconds}`, () => ({
                ...noOccurrences(),
                server,
                ends,
                serverName,
                certificate,
            }));
            if (seen !== undefined) {
                addBackend(seen.backends, ends.backend);
                addOccurrence(seen, connection.helloFrame, connection.firstTimeNs);
            }
        }
        const reason = failureReason(connection);
        if (reason === undefined)
            return;
        if (reason.kind === 'closed' && !isWhole) {
            this.oneSidedCount++;
            return;
        }
        this.failedCount++;
        this.failureTimes.add(connection.firstTimeNs);
        const failure = this.#find(this.#failures, `${server} ${serverName} ${JSON.stringify(reason)}`, () => ({
            ...noOccurrences(),
            server,
            ends,
            serverName,
            reason,
            example: connection,
        }));
        if (failure === undefined)
            return;
        addBackend(failure.backends, ends.backend);
        const frame = connection.fatalAlert?.frameNumber ?? connection.foreignAnswer?.frameNumber ?? connection.helloFrame;
        addOccurrence(failure, frame, connection.firstTimeNs);
    }
    failures() {
        return [...this.#failures.values()];
    }
    certificates() {
        return [...this.#certificates.values()];
    }
    #find(groups, key, create) {
        let group = groups.get(key);
        if (group !== undefined)
            return group;
        if (groups.size >= maxGroupsCount) {
            this.overflowCount++;
            return undefined;
        }
        group = create();
        groups.set(key, group);
        return group;
    }
}
/** undefined: it did not fail, or the capture ends before that is known. */
function failureReason(connection) {
    const { fatalAlert, foreignAnswer, foreignRequest, closedBy } = connection;
    if (foreignRequest !== undefined)
        return { kind: 'foreign request', protocol: foreignRequest.protocol };
    if (fatalAlert !== undefined) {
        const sender = fatalAlert.isClient === undefined ? 'unknown' : fatalAlert.isClient ? 'client' : 'server';
        return { kind: 'alert', alert: fatalAlert.name, sender };
    }
    if (foreignAnswer !== undefined)
        return { kind: 'foreign answer', protocol: foreignAnswer.protocol };
    if (connection.hasClientData && connection.hasServerData)
        return undefined;
    if (closedBy === undefined || closedBy.by === 'end of capture')
        return undefined;
    return {
        kind: 'closed',
        by: closedBy.by,
        sender: closedBy.isClient ? 'client' : 'server',
        hasServerHello: connection.selectedVersion !== undefined,
    };
}

;// CONCATENATED MODULE: ./src/analysis/application/tls-tracker.ts







const tls_tracker_listedNamesCount = 20;
const handshakeKeys = { 1: 'client_hello', 2: 'server_hello', 11: 'certificate' };
/** TLS of a whole capture. */
class TlsTracker {
    connections = new TlsConnections();
    handshakes = new TextCounts();
    serverNames = new TextCounts();
    alerts = new TextCounts();
    legacyVersions = new TextCounts();
    alpn = new TextCounts();
    recordCount = 0;
    alertRecordCount = 0;
    counters() {
        return {
            ...(this.recordCount > 0 ? { alert_records: this.alertRecordCount } : {}),
            ...this.handshakes.toRecord(),
            sni: this.serverNames.toRecord(tls_tracker_listedNamesCount),
            alerts: this.alerts.toRecord(),
            server_hello_legacy_version: this.legacyVersions.toRecord(),
            alpn_offered_or_selected: this.alpn.toRecord(),
        };
    }
}
/** What both directions of one connection know together. */
class TlsConversation {
    #tracker;
    #endsOf;
    #facts;
    /** the direction that sent the ClientHello */
    #clientDirection;
    #isFinished = false;
    constructor(tracker, endsOf) {
        this.#tracker = tracker;
        this.#endsOf = endsOf;
        this.#facts = tracker.connections.create();
    }
    /** What the parser of a direction tells. */
    events(direction) {
        return {
            onRecord: (type, byteCount, chunk) => this.#onRecord(direction, { type, byteCount }, chunk),
            onHandshake: (message, chunk) => this.#onHandshake(direction, message, chunk),
            onAlert: (level, description, chunk) => this.#onAlert(direction, { level, description }, chunk),
            onClose: (by) => {
                this.#facts.closedBy ??= { by, isClient: direction === this.#clientDirection };
            },
        };
    }
    /** The other direction answered something that is not TLS. */
    onForeignAnswer(protocol, frameNumber) {
        this.#facts.foreignAnswer ??= { protocol, frameNumber };
    }
    /** The client sent a request of another protocol, and the server answers with TLS. */
    onForeignRequest(protocol, frameNumber) {
        this.#facts.foreignRequest ??= { protocol, frameNumber };
    }
    /** The connection is over or forgotten. `isWhole`: packets of both directions were captured. */
    finish(isWhole = true) {
        if (this.#isFinished)
            return;
        this.#isFinished = true;
        const isKnown = this.#facts.helloFrame > 0 || this.#facts.foreignRequest !== undefined;
        if (isKnown)
            this.#tracker.connections.add(this.#facts, this.#endsOf(this.#clientDirection), isWhole);
    }
    #onRecord(direction, record, chunk) {
        if (!chunk.isLate)
            this.#tracker.recordCount++;
        const facts = this.#facts;
        facts.lastTimeNs = chunk.timeNs;
        if (record.type === tlsRecord.alert && !chunk.isLate)
            this.#tracker.alertRecordCount++;
        if (record.type !== tlsRecord.applicationData)
            return;
        if (direction === this.#clientDirection)
            facts.hasClientData = true;
        else
            facts.hasServerData = true;
    }
    #onHandshake(direction, message, chunk) {
        const { type } = message;
        if (!chunk.isLate)
            this.#tracker.handshakes.add(handshakeKeys[type] ?? `handshake_${type}`, chunk.frameNumber);
        if (type === tlsHandshake.clientHello)
            this.#onClientHello(direction, message, chunk);
        else if (type === tlsHandshake.serverHello)
            this.#onServerHello(direction, message, chunk);
        else if (type === tlsHandshake.certificate && direction !== this.#clientDirection) {
            this.#facts.certificate ??= readFirstCertificate(message);
        }
    }
    #onClientHello(direction, message, chunk) {
        const hello = readHello(message.bytes, message.start, message.end, true);
        this.#clientDirection ??= direction;
        const facts = this.#facts;
        if (facts.helloFrame === 0) {
            facts.helloFrame = chunk.frameNumber;
            facts.firstTimeNs = chunk.timeNs;
        }
        if (hello.serverName !== undefined) {
            this.#tracker.serverNames.add(hello.serverName, chunk.frameNumber);
            facts.serverName = hello.serverName;
        }
        facts.offeredVersions = hello.versions.length > 0 ? hello.versions : [hello.legacyVersion ?? 0];
        facts.offeredAlpn = hello.alpn;
        for (const protocol of hello.alpn)
            this.#tracker.alpn.add(protocol, chunk.frameNumber);
    }
    #onServerHello(direction, message, chunk) {
        const hello = readHello(message.bytes, message.start, message.end, false);
        this.#clientDirection ??= 1 - direction;
        if (hello.legacyVersion !== undefined) {
            this.#tracker.legacyVersions.add(`0x${hello.legacyVersion.toString(16).padStart(4, '0')}`, chunk.frameNumber);
        }
        this.#facts.selectedVersion = hello.versions[0] ?? hello.legacyVersion;
        this.#facts.selectedAlpn = hello.alpn[0];
        for (const protocol of hello.alpn)
            this.#tracker.alpn.add(protocol, chunk.frameNumber);
    }
    #onAlert(direction, alert, chunk) {
        const level = (0,tls_names/* alertLevelName */.UW)(alert.level);
        const name = (0,tls_names/* alertName */.Q6)(alert.description);
        this.#tracker.alerts.add(`${level}:${name}`, chunk.frameNumber);
        // The first fatal alert is the reason, what follows is its consequence.
        if (alert.level !== 2)
            return;
        const isClient = this.#clientDirection === undefined ? undefined : direction === this.#clientDirection;
        this.#facts.fatalAlert ??= { name, isClient, frameNumber: chunk.frameNumber, timeNs: chunk.timeNs };
    }
}
/** Of TLS 1.2 and older: three bytes for the length of the list, three for that of the first certificate. */
function readFirstCertificate({ bytes, start, end }) {
    if (start + 6 > end)
        return undefined;
    const length = u24(bytes, start + 3);
    return readCertificate(bytes, start + 6, Math.min(start + 6 + length, end));
}

;// CONCATENATED MODULE: ./src/analysis/application/tcp-conversation.ts











const dnsPort = 53;
/** A request that waits this long at the end of the capture counts as not answered. */
const unansweredAfterNs = 1e9;
const maxFirstLineBytes = 4096;
/** Application data of one TCP connection. The protocol of each direction is found by its first bytes, never by the port (except for DNS). */
class TcpConversation {
    directions;
    #context;
    #connection;
    #isDns;
    #http1;
    #http2;
    #tls;
    #parsers = [];
    constructor(context, connection, ports) {
        this.#context = context;
        this.#connection = connection;
        this.#isDns = ports.source === dnsPort || ports.destination === dnsPort;
        this.directions = [new StreamDirection(0, this, context.budget), new StreamDirection(1, this, context.budget)];
    }
    detect(direction, chunk) {
        const { index } = direction;
        if (this.#isDns)
            return this.#keep(index, DnsStreamParser, () => this.#dnsParser(index));
        const { bytes, start, end } = chunk;
        const tls = looksLikeTls(bytes, start, end);
        if (tls === 'yes')
            return this.#keep(index, TlsParser, () => this.#tlsParser(index, chunk));
        // Only the first bytes of the direction say it: after a loss, the middle of a record is no other protocol.
        const text = this.#parsers[index] === undefined ? textProtocol(bytes, start, end) : undefined;
        if (text !== undefined)
            this.#tls?.onForeignAnswer(text, chunk.frameNumber);
        const http2 = looksLikeHttp2(bytes, start, end, this.#http2 !== undefined);
        if (http2 === 'yes')
            return this.#keep(index, Http2Parser, () => this.#http2Parser());
        const http1 = looksLikeHttp1(bytes, start, end);
        if (http1 === 'yes' && (this.#http1 !== undefined || hasHttp1FirstLine(bytes, start, end))) {
            return this.#keep(index, Http1Parser, () => this.#http1Parser());
        }
        // A request line that goes on in the next segment.
        const isLongLine = http1 === 'yes' && end - start < maxFirstLineBytes;
        return tls === 'maybe' || http2 === 'maybe' || http1 === 'maybe' || isLongLine ? 'more' : undefined;
    }
    /** Both directions ended. */
    get isClosed() {
        return this.directions[0].isClosed && this.directions[1].isClosed;
    }
    /** `direction` sent a reset. */
    onReset(direction, endNs) {
        this.directions[direction]?.onClose('reset');
        this.finish('reset', endNs);
    }
    /** Nothing is said of it. */
    discard() {
        for (const direction of this.directions)
            direction.onClose('end of capture');
    }
    /** Nothing comes any more, or the connection is forgotten. `endNs`: the time of the last packet of the capture so far. */
    finish(by, endNs) {
        for (const direction of this.directions)
            direction.onClose(by);
        // One direction alone, by the filter or the place of the capture, does not tell what was answered.
        const isWhole = this.#context.isTwoWay(this.#connection);
        const hasNoAnswer = (sinceNs) => isWhole && (by !== 'end of capture' || endNs - sinceNs >= unansweredAfterNs);
        this.#http1?.finish(hasNoAnswer);
        this.#http2?.finish(hasNoAnswer);
        this.#tls?.finish(isWhole);
        if (!isWhole && (this.#http1 ?? this.#http2) !== undefined)
            this.#context.http.oneSidedConnections++;
    }
    /** The parser that the direction had is used again: it knows the header table, for example. */
    #keep(direction, kind, create) {
        const known = this.#parsers[direction];
        if (known instanceof kind)
            return known;
        const parser = create();
        this.#parsers[direction] = parser;
        return parser;
    }
    #tlsParser(direction, chunk) {
        const isAnswerToHttp = this.#tls === undefined && this.#parsers[1 - direction] instanceof Http1Parser;
        this.#tls ??= new TlsConversation(this.#context.tls, (client) => this.#context.endsOf(this.#connection, client));
        if (isAnswerToHttp && !this.#parsers[1 - direction].isLost)
            this.#tls.onForeignRequest('HTTP', chunk.frameNumber);
        return new TlsParser(this.#tls.events(direction), this.#context.budget);
    }
    #http1Parser() {
        // Who sends requests is the client; the first message decides, a wrong guess only swaps the ends of the connection's name.
        this.#http1 ??= new Http1Conversation(this.#context.http, () => this.#context.endsOf(this.#connection, undefined));
        return new Http1Parser(this.#http1, this.#context.budget);
    }
    #http2Parser() {
        this.#http2 ??= new Http2Conversation(this.#context.http, () => this.#context.endsOf(this.#connection, undefined), {
            onDns: this.#dnsOverHttp(),
            budget: this.#context.budget,
        });
        return new Http2Parser(this.#http2.events(), this.#context.budget);
    }
    #dnsOverHttp() {
        return ({ bytes, start, end, stream }, chunk) => {
            this.#context.onDns({ bytes, start, end, transaction: stream }, { connection: this.#connection, direction: 0, chunk });
        };
    }
    #dnsParser(direction) {
        const onMessage = (bytes, start, end, chunk) => {
            this.#context.onDns({ bytes, start, end, transaction: undefined }, { connection: this.#connection, direction, chunk });
        };
        return new DnsStreamParser(onMessage, this.#context.budget);
    }
}
/** Whether a message of a protocol that is recognised by its first bytes may begin here; DNS is recognised by its port. */
function mayBeginConversation(bytes, start, end) {
    return (looksLikeTls(bytes, start, end) !== 'no' ||
        looksLikeHttp1(bytes, start, end) !== 'no' ||
        looksLikeHttp2(bytes, start, end, false) !== 'no');
}
/** `isKnown`: the other direction speaks it. */
function looksLikeHttp2(bytes, start, end, isKnown) {
    if (bytes[start] === preface.charCodeAt(0)) {
        if (startsWithText(bytes, start, end, preface))
            return 'yes';
        const isPart = end - start < preface.length && startsWithText(bytes, start, end, preface.slice(0, end - start));
        return isPart ? 'maybe' : 'no';
    }
    if (end - start < frameHeaderBytes)
        return mayBeSettings(bytes, start, end) ? 'maybe' : 'no';
    if (!isPlausibleFrame(bytes, start, end))
        return 'no';
    if (isKnown)
        return 'yes';
    // A server's first frame; its settings have known identifiers.
    const isSettings = bytes[start + 3] === http2Frame.settings && bytes[start + 4] <= 1;
    return isSettings && (end - start < 11 || (bytes[start + 9] === 0 && bytes[start + 10] <= 8)) ? 'yes' : 'no';
}
/** The beginning of a SETTINGS frame, which is the first one: its length has 24 bits, and is small. */
function mayBeSettings(bytes, start, end) {
    if (bytes[start] !== 0 || (end - start > 1 && bytes[start + 1] !== 0))
        return false;
    return end - start <= 3 || bytes[start + 3] === http2Frame.settings;
}
/** What a server sends that does not speak TLS: HTTP/0.9 has no status line. */
function textProtocol(bytes, start, end) {
    if (startsWithText(bytes, start, end, 'HTTP/'))
        return 'HTTP';
    return bytes[start] === 0x3c ? 'HTML' : undefined;
}

;// CONCATENATED MODULE: ./src/analysis/application/application-tracker.ts












const application_tracker_dnsPort = 53;
const application_tracker_bothDirections = 3;
/** mDNS, LLMNR and NetBIOS names look like DNS and are not. */
const otherNamePorts = [5353, 5355, 137];
/** Connections whose data is followed at the same time; those that began first are given up first. */
const maxConversationsCount = 50_000;
/** A repetition that is fast or spurious has `retransmission` set, too, and is another case for tshark. */
const lateEvents = tcpEvent.retransmission | tcpEvent.outOfOrder;
const otherRepeats = tcpEvent.fastRetransmission | tcpEvent.spuriousRetransmission;
const segment = new StreamChunk();
/** Reads DNS, TLS, HTTP/1, HTTP/2 with gRPC, ICMP, ARP and neighbor discovery. Never throws, and its memory is bounded. */
class ApplicationTracker {
    wantedTraits = trait.payload | trait.close | trait.other;
    dns;
    tls = new TlsTracker();
    http = new HttpTracker();
    icmp;
    neighbors = new NeighborTracker();
    budget = new PendingBudget();
    #connections;
    #conversations = new BoundedMap(maxConversationsCount);
    #context;
    #message = new DnsMessage();
    #dnsContext = {
        connection: -1,
        transaction: 0,
        timeNs: 0,
        frameNumber: 0,
        server: '',
        client: '',
        isTcp: false,
    };
    /** connections whose data was not followed to its end */
    evictedCount = 0;
    constructor(connections) {
        const backendOf = (connection) => connections.facts(connection).backend;
        this.dns = new DnsTracker(backendOf);
        this.icmp = new IcmpTracker(backendOf);
        this.#connections = connections;
        this.#context = {
            http: this.http,
            tls: this.tls,
            budget: this.budget,
            endsOf: (connection, clientDirection) => this.#endsOf(connection, clientDirection),
            isTwoWay: (connection) => this.#connections.seenDirections(connection) === application_tracker_bothDirections,
            onDns: (message, { connection, direction, chunk }) => {
                if (!readDnsMessage(this.#message, message.bytes, message.start, message.end))
                    return;
                this.#onStreamDns(connection, direction, message.transaction, chunk);
            },
        };
    }
    onPacket(packet) {
        if (packet.isCopy)
            return;
        if ((packet.traits & trait.other) !== 0) {
            this.icmp.onPacket(packet);
            this.neighbors.onPacket(packet);
        }
        else if (packet.protocol === ipProtocol.tcp)
            this.#onTcp(packet);
        else
            this.#onUdp(packet);
    }
    onConnectionEvicted(connection) {
        const conversation = this.#conversations.get(connection);
        if (conversation === undefined)
            return;
        this.#conversations.delete(connection);
        this.#giveUp(conversation);
    }
    onConnectionMerged(connection) {
        this.#conversations.get(connection)?.discard();
        this.#conversations.delete(connection);
    }
    /** The capture is over. To be called before `counters`. */
    finish() {
        for (const conversation of this.#conversations.values())
            conversation.finish('end of capture', this.#connections.nowNs);
        this.#conversations.clear();
        this.dns.finish();
    }
    counters() {
        return {
            dns: this.dns.counters(),
            tls: this.tls.counters(),
            http: this.http.counters(),
            ...this.icmp.counters(),
            arp: this.neighbors.counters(),
        };
    }
    #giveUp(conversation) {
        conversation.finish('end of capture', this.#connections.nowNs);
        this.evictedCount++;
    }
    #onTcp(packet) {
        const { connection, tcpFlags } = packet;
        let conversation = this.#conversations.get(connection);
        if ((tcpFlags & tcpFlag.rst) !== 0) {
            if (conversation === undefined)
                return;
            this.#conversations.delete(connection);
            conversation.onReset(packet.direction, packet.timeNs);
            return;
        }
        if (packet.payloadCaptured > 0) {
            if (conversation === undefined && mayBegin(packet))
                conversation = this.#createConversation(packet);
            if (conversation !== undefined)
                this.#onSegment(packet, conversation);
        }
        if (conversation === undefined)
            return;
        if ((tcpFlags & tcpFlag.fin) === 0)
            return;
        conversation.directions[packet.direction]?.onFin((packet.sequence + packet.payloadLength) >>> 0);
        if (!conversation.isClosed)
            return;
        conversation.finish('fin', packet.timeNs);
        this.#conversations.delete(connection);
    }
    #onSegment(packet, conversation) {
        const direction = conversation.directions[packet.direction];
        if (direction === undefined)
            return;
        const isSyn = (packet.tcpFlags & tcpFlag.syn) !== 0;
        if (packet.isNextKnown && !isSyn)
            direction.expect(packet.nextSequence);
        segment.bytes = packet.buffer;
        segment.start = packet.payloadOffset;
        segment.end = packet.payloadOffset + packet.payloadCaptured;
        segment.timeNs = packet.timeNs;
        segment.frameNumber = packet.frameNumber;
        segment.isLate = (packet.tcpEvents & lateEvents) !== 0 && (packet.tcpEvents & otherRepeats) === 0;
        segment.isRepeat = segment.isLate && (packet.tcpEvents & tcpEvent.retransmission) !== 0;
        const sequence = isSyn ? (packet.sequence + 1) >>> 0 : packet.sequence;
        direction.onSegment(sequence, segment, packet.payloadLength - packet.payloadCaptured);
    }
    #createConversation(packet) {
        this.#conversations.makeRoom((oldest) => this.#giveUp(oldest));
        const ports = { source: packet.sourcePort, destination: packet.destinationPort };
        const conversation = new TcpConversation(this.#context, packet.connection, ports);
        this.#conversations.set(packet.connection, conversation);
        return conversation;
    }
    #onUdp(packet) {
        if (packet.carriesTunnel || packet.payloadCaptured < 4)
            return;
        if (!this.#readDatagram(packet))
            return;
        const { buffer } = packet;
        const message = this.#message;
        const context = this.#dnsContext;
        const source = addressText(buffer, packet.sourceOffset, packet.addressLength);
        const destination = addressText(buffer, packet.destinationOffset, packet.addressLength);
        context.connection = packet.connection;
        context.transaction = message.id;
        context.timeNs = packet.timeNs;
        context.frameNumber = packet.frameNumber;
        context.server = message.isResponse ? source : destination;
        context.client = message.isResponse ? destination : source;
        context.isTcp = false;
        this.dns.onMessage(message, context);
    }
    /** Fills `#message`. False: the datagram is not DNS. */
    #readDatagram({ buffer, payloadOffset, payloadCaptured, sourcePort, destinationPort, moreFragments, }) {
        const end = payloadOffset + payloadCaptured;
        const message = this.#message;
        if (sourcePort !== application_tracker_dnsPort && destinationPort !== application_tracker_dnsPort) {
            if (otherNamePorts.includes(sourcePort) || otherNamePorts.includes(destinationPort))
                return false;
            // By another port only what is DNS beyond doubt: Wireshark takes more for it.
            if (!looksLikeDns(buffer, payloadOffset, end) || !readDnsMessage(message, buffer, payloadOffset, end))
                return false;
            return message.isComplete && message.questionCount === 1;
        }
        if (!readDnsMessage(message, buffer, payloadOffset, end))
            return false;
        // The rest of the records is in the next fragments.
        if (moreFragments)
            message.isComplete = true;
        return true;
    }
    #onStreamDns(connection, direction, transaction, chunk) {
        const facts = this.#connections.facts(connection);
        const context = this.#dnsContext;
        // Over TCP the client is the one that asks: `transaction` is set for HTTP/2, where the connection's client asks.
        const isSentByClient = direction === this.#connections.clientDirection(connection);
        const isClientAsking = transaction !== undefined || isSentByClient === !this.#message.isResponse;
        context.connection = connection;
        context.transaction = transaction ?? this.#message.id;
        context.timeNs = chunk.timeNs;
        context.frameNumber = chunk.frameNumber;
        context.server = (isClientAsking ? facts.server : facts.client).address;
        context.client = (isClientAsking ? facts.client : facts.server).address;
        context.isTcp = true;
        this.dns.onMessage(this.#message, context);
    }
    #endsOf(connection, clientDirection) {
        const { client, server, backend } = this.#connections.facts(connection);
        const isSwapped = clientDirection !== undefined && clientDirection !== this.#connections.clientDirection(connection);
        return isSwapped ? { client: server, server: client } : { client, server, backend };
    }
}
/**
 * Whether a segment of a connection that is not followed may be the start of a message: what comes in order and is not, is never needed again. Of
 * the others the place in the stream must be known.
 */
function mayBegin(packet) {
    if (packet.sourcePort === application_tracker_dnsPort || packet.destinationPort === application_tracker_dnsPort)
        return true;
    if (packet.isNextKnown && packet.sequence !== packet.nextSequence)
        return true;
    return mayBeginConversation(packet.buffer, packet.payloadOffset, packet.payloadOffset + packet.payloadCaptured);
}

;// CONCATENATED MODULE: ./src/pcap/link-types.ts
/** Names of the link types that occur in captures of pods and nodes: https://www.tcpdump.org/linktypes.html */
const names = new Map([
    [0, 'NULL'],
    [1, 'EN10MB'],
    [9, 'PPP'],
    [12, 'RAW'],
    [14, 'RAW'],
    [101, 'RAW'],
    [105, 'IEEE802_11'],
    [108, 'LOOP'],
    [113, 'LINUX_SLL'],
    [228, 'IPV4'],
    [229, 'IPV6'],
    [239, 'NFLOG'],
    [276, 'LINUX_SLL2'],
]);
/** The name without "LINKTYPE_", or the number as text where it has none here. */
function linkTypeName(linkType) {
    return names.get(linkType) ?? String(linkType);
}

;// CONCATENATED MODULE: ./src/analysis/conversations.ts


/** The conversations with the most bytes on the wire, largest first. Connections that were evicted are not in it. */
function topConversations(connections, maxCount) {
    const flows = largestFlows(connections, Math.max(1_000, 20 * maxCount));
    const conversations = new Map();
    for (const flow of flows) {
        const { protocol, client, server } = connections.facts(flow);
        const [a, b] = [client, server].toSorted(compareEndpoints).map(({ address, port }) => `${address}|${port}`);
        const proto = protocol === ipProtocol.tcp ? 'tcp' : 'udp';
        const key = `${proto} ${a} ${b}`;
        const { packets, bytes } = flowSize(connections, flow);
        const known = conversations.get(key);
        if (known === undefined) {
            conversations.set(key, { proto, a, b, packets, bytes });
        }
        else {
            known.packets += packets;
            known.bytes += bytes;
        }
    }
    return [...conversations.values()].toSorted(compareConversations).slice(0, maxCount);
}
function compareEndpoints(one, other) {
    return compareTexts(one.address, other.address) || compareTexts(String(one.port), String(other.port));
}
function compareConversations(one, other) {
    return (other.bytes - one.bytes ||
        compareTexts(one.proto, other.proto) ||
        compareTexts(one.a, other.a) ||
        compareTexts(one.b, other.b));
}
function compareTexts(one, other) {
    return one < other ? -1 : Number(one > other);
}
/** A conversation of many small connections among more than `maxCount` larger ones is not found: texts are made of the largest only. */
function largestFlows({ table }, maxCount) {
    const sizes = new Float64Array(table.count);
    for (let flow = 0; flow < table.count; flow += 1) {
        const block = flow * flowDoubles + layout_double.directions + directionDouble.wireBytes;
        sizes[flow] = table.doubles[block] + table.doubles[block + directionDoubles];
    }
    const sorted = sizes.toSorted();
    const least = sorted[Math.max(0, sorted.length - maxCount)] ?? 0;
    const flows = [];
    for (let flow = 0; flow < table.count && flows.length < maxCount; flow += 1)
        if (sizes[flow] >= least)
            flows.push(flow);
    return flows;
}
function flowSize({ table }, flow) {
    const bytesAt = flow * flowDoubles + layout_double.directions + directionDouble.wireBytes;
    const packetsAt = flow * flowWords + word.directions + directionWord.packets;
    return {
        bytes: table.doubles[bytesAt] + table.doubles[bytesAt + directionDoubles],
        packets: table.words[packetsAt] + table.words[packetsAt + directionWords],
    };
}

;// CONCATENATED MODULE: ./src/analysis/counters.ts




const conversationsCount = 5;
const synGapConnectionsCount = 10;
/** Counters of the file and of the layers up to TCP and UDP, with the names and shapes of the ground truth (captures/index.json). */
function counters(analysis, end) {
    analysis.end();
    return {
        ...fileCounters(analysis, end),
        layers: nonZero(Object.entries(decoded_packet_layer).map(([name, bit]) => [name, analysis.frames.layerCounts[31 - Math.clz32(bit)]])),
        tcp: tcpCounters(analysis),
        udp: { packets: analysis.frames.udpFrames, streams: analysis.connections.udpStreams },
        top_conversations: topConversations(analysis.connections, conversationsCount),
    };
}
function fileCounters({ frames, decoder }, end) {
    const hasPackets = frames.frames > 0;
    const seconds = (ns) => hasPackets ? Math.round(decoder.baseSeconds * 1e6 + ns / 1e3) / 1e6 : null;
    const isPcapng = end.format?.format === 'pcapng';
    return {
        header: headerCounters(end),
        file_truncated: end.isCutShort,
        interfaces: isPcapng ? byKey(frames.interfaces) : {},
        packets: end.packets + end.customBlocks,
        bytes_wire: frames.bytesOnWire,
        bytes_captured: frames.bytesCaptured,
        packets_snapped: frames.snapped,
        first: seconds(frames.firstNs),
        last: seconds(frames.lastNs),
        duration_s: hasPackets ? Math.round((frames.lastNs - frames.firstNs) / 1e3) / 1e6 : 0,
        time_goes_back: frames.timeGoesBack,
        sll_ifindex: frames.linkTypes.has(276) ? byKey(frames.interfaces) : {},
        sll_pkttype: byKey(frames.packetTypes),
        vlans: byKey(frames.vlans),
        vni: Object.fromEntries(frames.vnis),
        ip_fragments: frames.ipFragments,
    };
}
function headerCounters({ format, sections }) {
    if (format === undefined)
        return {};
    const { interfaces, version, byteOrder: byte_order } = format;
    const linktypes = interfaces.map(({ linkType }) => linkTypeName(linkType));
    if (format.format !== 'pcapng')
        return { format: format.format, byte_order, version, snaplen: interfaces[0]?.snaplen, linktypes };
    const blocks = Object.fromEntries([...format.blocks].map(([type, count]) => [
        blockNames.get(type) ?? `0x${type.toString(16).padStart(8, '0')}`,
        count,
    ]));
    const snaplens = [...new Set(interfaces.map(({ snaplen }) => snaplen))].toSorted((one, other) => one - other);
    return { format: format.format, byte_order, sections, blocks, linktypes, snaplens };
}
const blockNames = new Map([
    [0x0a0d0d0a, 'SHB'],
    [1, 'IDB'],
    [2, 'PB'],
    [3, 'SPB'],
    [4, 'NRB'],
    [5, 'ISB'],
    [6, 'EPB'],
    [10, 'DSB'],
    [0x0bad, 'CB'],
]);
function tcpCounters({ frames, connections }) {
    const { totals } = connections.tcp;
    const roundTrips = totals.roundTrips.summary();
    const ms = (value) => Math.round(value * 1e3) / 1e3;
    return {
        packets: frames.tcpFrames,
        payload_bytes: totals.payloadBytes,
        connections: totals.connections,
        syn: totals.syn,
        synack: totals.synack,
        rst: totals.rst,
        fin: totals.fin,
        handshake: nonZero(Object.entries(totals.handshake)),
        resets: Object.fromEntries(totals.resets),
        completeness: byKey(totals.completeness),
        analysis: nonZero(tcpEventNames.map(([name], index) => [name, totals.events[index]])),
        irtt: roundTrips === undefined
            ? { count: 0 }
            : {
                count: roundTrips.count,
                min_ms: ms(roundTrips.min),
                p50_ms: ms(roundTrips.p50),
                p95_ms: ms(roundTrips.p95),
                max_ms: ms(roundTrips.max),
            },
        syn_gaps_s: totals.synGaps().slice(0, synGapConnectionsCount),
    };
}
function byKey(counts) {
    return Object.fromEntries(counts);
}
function nonZero(counts) {
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

;// CONCATENATED MODULE: ./src/analysis/sequence/connection-logs.ts


/** Connections that are logged at the same time. */
const maxOpenCount = 1_000;
/** Logs of each kind of trouble that are kept after their connection has ended. */
const maxKeptCount = 64;
/** Of one connection: those after the first trouble, and the latest. */
const maxFirstCount = 4;
const maxLatestCount = 4;
const trouble = tcpEvent.retransmission | tcpEvent.outOfOrder | tcpEvent.lostSegment | tcpEvent.zeroWindow;
/**
 * Logs TCP connections that show trouble, from then on: for the connection of a finding, which is known only when it ends. A connection without
 * trouble costs a look at its packets' events.
 */
class ConnectionLogs {
    #connections;
    #isLogged;
    #open = new Map();
    #kept = new Map();
    constructor(connections) {
        this.#connections = connections;
        this.#isLogged = new Uint8Array(connections.table.words.length / flowWords);
    }
    /** The packet must be none that was seen at another place before. */
    onPacket(packet) {
        const { connection } = packet;
        if (packet.protocol !== ipProtocol.tcp || connection < 0)
            return;
        if (this.#isLogged[connection] === 0) {
            if ((packet.tcpEvents & trouble) === 0 && (packet.tcpFlags & tcpFlag.rst) === 0)
                return;
            this.#begin(packet);
        }
        const log = this.#open.get(connection);
        if (log !== undefined)
            note(log, packet);
    }
    onConnectionEnd(connection) {
        const log = this.#open.get(connection);
        if (log === undefined)
            return;
        this.#forget(connection);
        const { words } = this.#connections.table;
        const bits = words[connection * flowWords + word.bits];
        const { client, server, firstTimeNs } = this.#connections.facts(connection);
        const clientDirection = this.#connections.clientDirection(connection);
        this.#keep(troubleOf(log, bits), { ...log, client, server, firstTimeNs, clientDirection });
    }
    onConnectionEvicted(connection) {
        this.#forget(connection);
    }
    /** The log of the connection that began at this time, as far as it was kept. The capture must have ended. */
    find({ client, server }, firstTimeNs) {
        const isSame = (one, other) => one.address === other.address && one.port === other.port;
        return [...this.#kept.values()]
            .flat()
            .find((log) => isSame(log.client, client) && isSame(log.server, server) && Math.abs(log.firstTimeNs - firstTimeNs) < 1e6);
    }
    #begin(packet) {
        const { words, doubles } = this.#connections.table;
        const { connection, direction, payloadLength } = packet;
        const at = connection * flowWords;
        const bits = words[at + word.bits];
        // A reset after a FIN is harmless.
        if ((bits & flowBit.hasFin) !== 0 && (packet.tcpFlags & tcpFlag.rst) !== 0)
            return;
        if (this.#open.size >= maxOpenCount)
            return;
        const firstTimeNs = doubles[connection * flowDoubles + layout_double.firstTime];
        const firstFrame = words[at + word.firstFrame];
        const isFirstSyn = (bits & flowBit.hasSyn) !== 0 && firstFrame !== packet.frameNumber;
        const isAnswer = (packet.tcpFlags & tcpFlag.syn) !== 0 && (packet.tcpFlags & tcpFlag.ack) !== 0;
        const hasSynAck = (bits & flowBit.hasSynAck) !== 0 && !isAnswer;
        const bytesOf = (of) => doubles[connection * flowDoubles + layout_double.directions + of * directionDoubles + directionDouble.payloadBytes] -
            (of === direction ? payloadLength : 0);
        this.#isLogged[connection] = 1;
        this.#open.set(connection, {
            begin: {
                syn: isFirstSyn ? { frame: firstFrame, timeNs: firstTimeNs } : undefined,
                synAckNs: hasSynAck ? doubles[connection * flowDoubles + layout_double.synAckTime] : undefined,
                dataBytes: [bytesOf(0), bytesOf(1)],
            },
            first: [],
            latest: [],
            leftOutCount: 0,
            againCount: 0,
        });
    }
    #forget(connection) {
        if (this.#isLogged[connection] === 0)
            return;
        this.#isLogged[connection] = 0;
        this.#open.delete(connection);
    }
    /** The first logs of each kind; of those with data that was sent again, the worst. */
    #keep(kind, log) {
        const kept = this.#kept.get(kind) ?? [];
        this.#kept.set(kind, kept);
        if (kept.length < maxKeptCount) {
            kept.push(log);
            return;
        }
        const counts = kept.map(({ againCount }) => againCount);
        const least = counts.indexOf(Math.min(...counts));
        if (counts[least] < log.againCount)
            kept[least] = log;
    }
}
function troubleOf({ first, latest }, bits) {
    if ((bits & flowBit.hasSyn) !== 0 && (bits & flowBit.established) === 0)
        return 'not-opened';
    const kinds = new Set([...first, ...latest].map(({ kind }) => kind));
    if (kinds.has('reset'))
        return 'reset';
    return kinds.has('zero-window') ? 'stalled' : 'sent-again';
}
function note(log, packet) {
    const kind = kindOf(log, packet);
    if (kind === undefined)
        return;
    const { direction, frameNumber: frame, timeNs, payloadLength: bytes } = packet;
    if (kind === 'data-again' || kind === 'data-late')
        log.againCount += 1;
    const previous = log.latest.at(-1) ?? log.first.at(-1);
    if (previous?.kind === kind && previous.direction === direction) {
        previous.count += 1;
        previous.bytes += bytes;
        previous.lastNs = timeNs;
        return;
    }
    const step = { kind, direction, frame, timeNs, lastNs: timeNs, count: 1, bytes };
    if (log.first.length < maxFirstCount && log.latest.length === 0) {
        log.first.push(step);
        return;
    }
    log.latest.push(step);
    if (log.latest.length <= maxLatestCount)
        return;
    log.latest.shift();
    log.leftOutCount += 1;
}
/** Undefined: an acknowledgment, of which nothing is told. */
function kindOf({ first, latest }, packet) {
    const { tcpFlags, tcpEvents, payloadLength, direction } = packet;
    if ((tcpFlags & tcpFlag.rst) !== 0)
        return 'reset';
    if ((tcpFlags & tcpFlag.syn) !== 0)
        return (tcpFlags & tcpFlag.ack) === 0 ? 'syn' : 'syn-ack';
    if ((tcpEvents & tcpEvent.zeroWindow) !== 0)
        return 'zero-window';
    if ((tcpEvents & tcpEvent.keepAlive) !== 0)
        return 'keep-alive';
    if ((tcpEvents & tcpEvent.zeroWindowProbe) !== 0)
        return 'probe';
    if (payloadLength > 0) {
        // tshark calls what is sent again within a millisecond out of order.
        if (packet.isResent || (tcpEvents & tcpEvent.retransmission) !== 0)
            return 'data-again';
        return (tcpEvents & tcpEvent.outOfOrder) !== 0 ? 'data-late' : 'data';
    }
    if ((tcpFlags & tcpFlag.fin) !== 0)
        return 'fin';
    const ofDirection = [...first, ...latest].filter((step) => step.direction === direction);
    return ofDirection.at(-1)?.kind === 'zero-window' ? 'window-open' : undefined;
}

// EXTERNAL MODULE: ./src/analysis/findings/wording.ts
var wording = __webpack_require__(9713);
;// CONCATENATED MODULE: ./src/analysis/details/peer-traffic.ts



const maxPairsCount = 2_000;
/** Who talked to whom: counted when a connection ends. */
class PeerTrafficTracker {
    #connections;
    /** by two keys, see `#keyOf` */
    #pairs = new Map();
    #count = 0;
    /** connections of pairs that are not listed, because there were too many */
    overflowCount = 0;
    constructor(connections) {
        this.#connections = connections;
    }
    onConnectionEnd(connection) {
        const pair = this.#pair(connection);
        if (pair === undefined)
            return;
        const { words, doubles } = this.#connections.table;
        const packetsAt = connection * flowWords + word.directions + directionWord.packets;
        const bytesAt = connection * flowDoubles + layout_double.directions + directionDouble.wireBytes;
        pair.connections += 1;
        pair.packets += words[packetsAt] + words[packetsAt + directionWords];
        pair.bytes += doubles[bytesAt] + doubles[bytesAt + directionDoubles];
    }
    /** The pairs with the most bytes first. */
    pairs() {
        return [...this.#pairs.values()]
            .flatMap((pairs) => [...pairs.values()])
            .toSorted((one, other) => other.bytes - one.bytes);
    }
    #pair(connection) {
        const key = this.#keyOf(connection);
        const second = typeof key === 'string' ? 0 : this.#connections.table.words[connection * flowWords + word.high];
        const known = this.#pairs.get(key);
        let pair = known?.get(second);
        if (pair !== undefined)
            return pair;
        if (this.#count >= maxPairsCount) {
            this.overflowCount += 1;
            return undefined;
        }
        const { client, server, protocol } = this.#connections.facts(connection);
        const name = protocol === ipProtocol.tcp ? 'TCP' : 'UDP';
        pair = { protocol: name, client: client.address, server, connections: 0, packets: 0, bytes: 0 };
        if (known === undefined)
            this.#pairs.set(key, new Map([[second, pair]]));
        else
            known.set(second, pair);
        this.#count += 1;
        return pair;
    }
    /**
     * Of IPv4 all but the high address as a number of 50 bits, the high address is the second key: text is made once for each pair, not for each
     * connection. Of IPv6, and where a proxy answers in place of the server, the text.
     */
    #keyOf(connection) {
        const { words } = this.#connections.table;
        const at = connection * flowWords;
        const protocol = words[at + word.protocol];
        if (protocol >> 8 !== 4 || this.#connections.isRedirected(connection)) {
            const { client, server } = this.#connections.facts(connection);
            return `${protocol} ${client.address} ${(0,wording/* endpointText */.HO)(server)}`;
        }
        const isServerFirst = this.#connections.clientDirection(connection) === 1;
        const isServerLow = ((words[at + word.bits] & flowBit.firstIsLow) !== 0) === isServerFirst;
        const ports = words[at + word.ports];
        const port = isServerLow ? ports >>> 16 : ports & 0xffff;
        const kind = ((protocol & 0xff) === ipProtocol.tcp ? 2 : 0) + (isServerLow ? 1 : 0);
        return ((words[at + word.low] >>> 0) * 0x10000 + port) * 4 + kind;
    }
}

;// CONCATENATED MODULE: ./src/analysis/details/timeline.ts



const sentAgain = tcpEvent.retransmission | tcpEvent.fastRetransmission | tcpEvent.spuriousRetransmission;
/** Throughput and errors over time. */
class TimelineTracker {
    #connections;
    #packets = new TimeBuckets();
    #bytes = new TimeBuckets();
    #retransmissions = new TimeBuckets();
    #resets = new TimeBuckets();
    #rejections = new TimeBuckets();
    #frameNumber = 0;
    // Packets in a row that are less than one of the smallest buckets apart, not yet in the buckets.
    #runStartNs = 0;
    #runEndNs = -1;
    #runPackets = 0;
    #runBytes = 0;
    constructor(connections) {
        this.#connections = connections;
    }
    /** The packet must be none that was seen at another place before. */
    onPacket(packet) {
        const { timeNs, frameNumber } = packet;
        if (frameNumber !== this.#frameNumber) {
            this.#frameNumber = frameNumber;
            if (timeNs < this.#runStartNs || timeNs >= this.#runEndNs)
                this.#startRun(timeNs);
            this.#runPackets += 1;
            this.#runBytes += packet.wireLength;
        }
        if (packet.inIcmpError)
            this.#rejections.add(timeNs);
        else if ((packet.tcpEvents & sentAgain) !== 0 || (packet.tcpFlags & tcpFlag.rst) !== 0)
            this.#onTrouble(packet);
    }
    /** `failureTimes`: of the application protocols. The capture must have ended, and have packets. */
    timeline(range, failureTimes) {
        const { baseSeconds, firstNs, lastNs } = range;
        this.#startRun(0);
        const failed = [this.#rejections, ...failureTimes];
        const all = [this.#packets, this.#bytes, this.#retransmissions, this.#resets, ...failed];
        const widest = Math.max(...all.map(({ widthNs }) => widthNs));
        for (const one of all)
            one.widen(60 * widest - 1);
        const { widthNs } = this.#packets;
        const skipped = Math.max(0, Math.floor(firstNs / widthNs));
        const [packets, bytes, retransmissions, resets, ...failures] = all.map((one) => one.until(lastNs).slice(skipped));
        return {
            startMs: baseSeconds * 1_000 + (skipped * widthNs) / 1e6,
            bucketSeconds: widthNs / 1e9,
            buckets: packets.map((count, index) => ({
                packets: count,
                bytes: bytes[index],
                retransmissions: retransmissions[index],
                resets: resets[index],
                failures: failures.reduce((sum, amounts) => sum + amounts[index], 0),
            })),
        };
    }
    #onTrouble({ timeNs, tcpEvents, tcpFlags, connection, protocol }) {
        if (protocol !== ipProtocol.tcp || connection < 0)
            return;
        if ((tcpEvents & sentAgain) !== 0)
            this.#retransmissions.add(timeNs);
        if ((tcpFlags & tcpFlag.rst) === 0)
            return;
        const bits = this.#connections.table.words[connection * flowWords + word.bits];
        if ((bits & flowBit.hasFin) === 0)
            this.#resets.add(timeNs);
    }
    #startRun(timeNs) {
        if (this.#runPackets > 0) {
            this.#packets.add(this.#runStartNs, this.#runPackets);
            this.#bytes.add(this.#runStartNs, this.#runBytes);
        }
        this.#runPackets = 0;
        this.#runBytes = 0;
        this.#runStartNs = this.#packets.startOf(timeNs);
        this.#runEndNs = this.#runStartNs + this.#packets.widthNs;
    }
}

;// CONCATENATED MODULE: ./src/analysis/details/details-tracker.ts



/** Collects what tables and charts show. One tracker for all: each tracker costs a call for each packet. */
class DetailsTracker {
    peers;
    timeline;
    logs;
    constructor(connections) {
        this.peers = new PeerTrafficTracker(connections);
        this.timeline = new TimelineTracker(connections);
        this.logs = new ConnectionLogs(connections);
    }
    onPacket(packet) {
        if (packet.isCopy)
            return;
        this.timeline.onPacket(packet);
        this.logs.onPacket(packet);
    }
    onConnectionEnd(connection) {
        this.peers.onConnectionEnd(connection);
        this.logs.onConnectionEnd(connection);
    }
    onConnectionEvicted(connection) {
        this.logs.onConnectionEvicted(connection);
    }
}

;// CONCATENATED MODULE: ./src/analysis/findings/finding.ts
const maxEvidenceCount = 5;

;// CONCATENATED MODULE: ./src/analysis/findings/evidence.ts

/** The evidence of what was seen between two ends. A port that is not known is 0. */
function evidenceOf(seen, { client, server, backend }, clock) {
    return {
        client,
        server,
        backend,
        frames: seen.frames.slice(0, maxEvidenceCount),
        firstMs: clock.baseSeconds * 1000 + Math.floor(seen.firstTimeNs / 1e6),
        lastMs: clock.baseSeconds * 1000 + Math.floor(seen.lastTimeNs / 1e6),
    };
}

;// CONCATENATED MODULE: ./src/analysis/findings/dns-findings.ts



const dns_findings_dnsPort = 53;
const dns_findings_listedNamesCount = 1000;
/** A cluster's resolver answers within a few ms; above this an application notices. */
const slowMs = 500;
const verySlowMs = 2000;
/** Names that do not exist are often asked for on purpose: only many of them are worth a finding. */
const minMissingCount = 5;
const minWastedCount = 10;
const rcodeNumbers = { FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 };
/** F10: failures of name resolution. F11: what the search list of Kubernetes and the race of conntrack cost. */
function dnsFindings(dns, clock) {
    const findings = dns.servers.all().flatMap((server) => serverFindings(server, dns, clock));
    return [...findings, ...searchFinding(dns, clock), ...raceFinding(dns, clock)];
}
function serverFindings(server, dns, clock) {
    const findings = [];
    if (server.unanswered.count > 0)
        findings.push(unanswered(server, clock));
    for (const [code, failures] of server.failures) {
        if (code !== 'NXDOMAIN')
            findings.push(failed(server, code, failures, clock));
        else if (failures.count - dns.search.wastedCount >= minMissingCount)
            findings.push(missing(server, failures, clock));
    }
    if ((server.time.summary().p95_ms ?? 0) >= slowMs)
        findings.push(slow(server, clock));
    if (server.truncated.count > 0 && server.tcpQueryCount === 0)
        findings.push(truncated(server, clock));
    return findings;
}
function unanswered(server, clock) {
    const { count, names } = server.unanswered;
    return {
        id: 'dns-unanswered',
        severity: 'error',
        title: `DNS server ${(0,wording/* serverText */.Tn)(server.server, server.unanswered.backends)} did not answer ${count} of ${(0,wording/* countedAs */.DV)(server.queryCount, 'query', 'queries')} (${topNames(names)})`,
        count,
        evidence: [evidenceOf(server.unanswered, endsOf(server), clock)],
        displayFilter: `dns.flags.response == 0 && !dns.response_in && !dns.retransmission && ${(0,wording/* addressFilter */.hO)(server.server)}`,
        likelyCauses: [
            'The DNS server is not running, is overloaded, or its service has no ready endpoints',
            'A NetworkPolicy does not allow port 53 to the DNS server',
            'The conntrack table of the node is full, or two queries from one socket raced in it',
        ],
        nextSteps: [
            'kubectl -n kube-system get pods,endpointslices -l k8s-app=kube-dns',
            'The egress rules of the NetworkPolicies for this pod: UDP and TCP port 53',
            'The logs of the DNS server',
        ],
        facts: { unanswered: count, queries: server.queryCount },
    };
}
function failed(server, code, failures, clock) {
    return {
        id: 'dns-failed',
        severity: 'error',
        title: `DNS server ${(0,wording/* serverText */.Tn)(server.server, failures.backends)} answered ${(0,wording/* countedAs */.DV)(failures.count, 'query', 'queries')} with ${code} (${topNames(failures.names)})`,
        count: failures.count,
        evidence: [evidenceOf(failures, endsOf(server), clock)],
        displayFilter: `dns.flags.response == 1 && dns.flags.rcode == ${rcodeNumbers[code] ?? code} && ${(0,wording/* addressFilter */.hO)(server.server)}`,
        likelyCauses: [
            'The server that CoreDNS forwards to fails or cannot be reached',
            'The zone is not served there, or its signatures are not valid',
            'The DNS server refuses this client',
        ],
        nextSteps: [
            'The logs of CoreDNS',
            'kubectl -n kube-system get configmap coredns -o yaml: the forward line',
            'The same query from another pod',
        ],
        facts: { code, queries: server.queryCount },
    };
}
function missing(server, failures, clock) {
    return {
        id: 'dns-name-missing',
        severity: 'warning',
        title: `${(0,wording/* countedAs */.DV)(failures.count, 'DNS query', 'DNS queries')} asked for names that do not exist (${topNames(failures.names)})`,
        count: failures.count,
        evidence: [evidenceOf(failures, endsOf(server), clock)],
        displayFilter: `dns.flags.rcode == 3 && ${(0,wording/* addressFilter */.hO)(server.server)}`,
        likelyCauses: [
            'The name is misspelled, or its service or namespace does not exist',
            'The service is headless and has no ready endpoints',
        ],
        nextSteps: ['kubectl get service -A for these names', 'The configuration of the application that asks for them'],
        facts: { queries: server.queryCount },
    };
}
function slow(server, clock) {
    const { p95_ms: p95Ms = 0, max_ms: maxMs = 0 } = server.time.summary();
    return {
        id: 'dns-slow',
        severity: p95Ms >= verySlowMs ? 'error' : 'warning',
        title: `DNS server ${server.server} took ${(0,wording/* durationText */.S5)(slowMs)} or more for ${server.slow.count} of ${(0,wording/* countedAs */.DV)(server.responseCount, 'answer', 'answers')}, the slowest ${(0,wording/* durationText */.S5)(maxMs)}`,
        count: server.slow.count,
        evidence: [evidenceOf(server.slow, endsOf(server), clock)],
        displayFilter: `dns.time >= ${slowMs / 1000} && ${(0,wording/* addressFilter */.hO)(server.server)}`,
        likelyCauses: [
            'The server that CoreDNS forwards to is slow',
            'CoreDNS is throttled by its CPU limit, or has too few replicas',
            'Packets are lost, and the client asks again after its time-out',
        ],
        nextSteps: [
            'CPU usage and limit of the CoreDNS pods',
            'The metric coredns_forward_request_duration_seconds',
            'NodeLocal DNSCache',
        ],
        facts: { p95_ms: p95Ms, max_ms: maxMs, answers: server.responseCount },
    };
}
function truncated(server, clock) {
    const { count } = server.truncated;
    return {
        id: 'dns-truncated',
        severity: 'notice',
        title: `DNS server ${server.server} truncated ${(0,wording/* countedAs */.DV)(count, 'answer', 'answers')}, and no query over TCP followed`,
        count,
        evidence: [evidenceOf(server.truncated, endsOf(server), clock)],
        displayFilter: `dns.flags.truncated == 1 && ${(0,wording/* addressFilter */.hO)(server.server)}`,
        likelyCauses: [
            'A NetworkPolicy allows port 53 for UDP only',
            'The client does not fall back to TCP',
            'The filter of the capture leaves out TCP',
        ],
        nextSteps: ['The NetworkPolicies for this pod: TCP port 53', 'Whether the filter of the capture has TCP port 53'],
        facts: {},
    };
}
function searchFinding({ search }, clock) {
    const top = search.top(dns_findings_listedNamesCount);
    if (search.wastedCount < minWastedCount)
        return [];
    const factor = search.amplification();
    const share = factor === undefined ? '' : `, ${Number(factor.toFixed(1))} queries for each answer`;
    const names = (0,wording/* listed */.KE)(top.map(({ base }) => base));
    return [
        {
            id: 'dns-search-list',
            severity: 'warning',
            title: `${(0,wording/* countedAs */.DV)(search.wastedCount, 'DNS query', 'DNS queries')} only tried the search list of the pod for ${(0,wording/* countedAs */.DV)(search.nameCount, 'name', 'names')} (${names})${share}`,
            count: search.wastedCount,
            evidence: top
                .slice(0, maxEvidenceCount)
                .map(({ client, server, firstFrame, firstTimeNs, lastTimeNs }) => evidenceOf({ frames: [firstFrame], firstTimeNs, lastTimeNs }, endsOf({ client, server }), clock)),
            displayFilter: 'dns.flags.rcode == 3 && dns.qry.name contains "cluster.local"',
            likelyCauses: [
                'The pod has ndots:5, the default of Kubernetes: a name with fewer than five dots is tried with each suffix of the search list first',
            ],
            nextSteps: [
                'Write external names with a dot at the end',
                'Set the option ndots to 1 or 2 in dnsConfig of the pod',
                'NodeLocal DNSCache, or the plugin autopath of CoreDNS',
            ],
            facts: { wasted: search.wastedCount, names: search.nameCount, ...(factor === undefined ? {} : { factor }) },
        },
    ];
}
function raceFinding({ race }, clock) {
    const { examples, count } = race;
    if (count === 0)
        return [];
    return [
        {
            id: 'dns-race',
            severity: 'error',
            title: `${(0,wording/* countedAs */.DV)(count, 'name lookup', 'name lookups')} waited 5 s, because one of two DNS queries that were sent at once got no answer (${(0,wording/* listed */.KE)(examples.map(({ name }) => name))})`,
            count,
            evidence: examples.map(({ client, server, frames, timeNs }) => evidenceOf({ frames: [...frames], firstTimeNs: timeNs, lastTimeNs: timeNs }, endsOf({ client, server }), clock)),
            displayFilter: 'dns.flags.response == 0 && (dns.retransmission || !dns.response_in)',
            likelyCauses: [
                'conntrack drops one of two packets that one socket sends at the same time (kubernetes/kubernetes#56903)',
                'Packets are lost between the pod and the DNS server',
            ],
            nextSteps: [
                'NodeLocal DNSCache',
                'The option single-request-reopen in dnsConfig of the pod (glibc)',
                'conntrack -S on the node: insert_failed',
            ],
            facts: {},
        },
    ];
}
function endsOf({ client, server }) {
    return { client: { address: client, port: 0 }, server: { address: server, port: dns_findings_dnsPort } };
}
function topNames(names) {
    return (0,wording/* listed */.KE)(names.top(10).map(([name]) => name));
}

// EXTERNAL MODULE: ./src/analysis/application/grpc-status.ts
var grpc_status = __webpack_require__(75490);
;// CONCATENATED MODULE: ./src/analysis/findings/http-findings.ts



/** A part of the requests that is worth a finding when a client's own requests are refused: 404 and 401 are normal in small numbers. */
const clientErrorShare = 0.1;
const minClientErrorCount = 5;
/** F13: errors of HTTP and gRPC in clear text. F9: servers that think long. */
function httpFindings({ servers }, clock) {
    return servers.all().flatMap((server) => http_findings_serverFindings(server, clock));
}
function http_findings_serverFindings(server, clock) {
    const findings = [];
    for (const [status, failures] of server.failures) {
        const isServerError = status >= 500 || status === 429;
        const share = failures.count / server.requestCount;
        const isFrequent = failures.count >= minClientErrorCount && share >= clientErrorShare;
        if (isServerError || isFrequent)
            findings.push(statusFinding(server, status, failures, clock));
    }
    for (const [status, failures] of server.grpcFailures)
        findings.push(grpcFinding(server, status, failures, clock));
    if (server.unanswered.count > 0)
        findings.push(unansweredFinding(server, clock));
    if (server.slow.count > 0)
        findings.push(slowFinding(server, clock));
    return findings;
}
function statusFinding(server, status, failures, clock) {
    const isServerError = status >= 500 || status === 429;
    return {
        id: isServerError ? 'http-server-errors' : 'http-client-errors',
        severity: isServerError ? 'error' : 'warning',
        title: `${(0,wording/* serverText */.Tn)(server.server, failures.backends)} answered ${failures.count} of ${(0,wording/* counted */.hS)(server.requestCount, 'request')} with status ${status} (${topRequests(failures)})`,
        count: failures.count,
        evidence: [evidenceOf(failures, server.ends, clock)],
        displayFilter: `(http.response.code == ${status} || http2.headers.status == "${status}") && ${(0,wording/* serverFilter */.yQ)(server.ends.server)}`,
        likelyCauses: statusCauses(status),
        nextSteps: [
            'The logs of the server\u2019s pods at these times',
            'kubectl get pods,endpointslices of its service: ready endpoints and restarts',
            'What the server itself calls: look for errors of its peers',
        ],
        facts: { status, requests: server.requestCount, answers: server.responseCount },
    };
}
function statusCauses(status) {
    if (status === 503) {
        return [
            'The service has no ready endpoint, or a proxy has no healthy upstream',
            'The server sheds load or shuts down',
            'A circuit breaker or an outlier detection is open',
        ];
    }
    if (status === 502 || status === 504) {
        return [
            status === 504
                ? 'The server behind the proxy does not answer in time'
                : 'The server behind the proxy closes or resets the connection',
            'The pod behind the proxy ended or is not ready',
            'Port or protocol of the proxy\u2019s upstream is wrong',
        ];
    }
    if (status === 429)
        return ['The server or a gateway limits the rate of this client'];
    if (status >= 500)
        return ['An error in the server', 'A database or service that it needs fails'];
    if (status === 401 || status === 403)
        return [
            'The token is missing, has expired, or lacks a right',
            'An authorization policy of the mesh refuses the client',
        ];
    return [
        'The path or the request of the client is wrong for this version of the server',
        'The routes of the ingress or gateway',
    ];
}
function grpcFinding(server, status, failures, clock) {
    const isCallers = [1, 3, 5, 6, 7, 9, 11, 16].includes(status);
    return {
        id: 'grpc-errors',
        severity: isCallers ? 'warning' : 'error',
        title: `${(0,wording/* serverText */.Tn)(server.server, failures.backends)} answered ${failures.count} of ${(0,wording/* counted */.hS)(server.requestCount, 'request')} with gRPC status ${(0,grpc_status/* grpcStatusName */.a)(status)} (${topRequests(failures)})`,
        count: failures.count,
        evidence: [evidenceOf(failures, server.ends, clock)],
        displayFilter: `grpc.status_code == ${status} && ${(0,wording/* serverFilter */.yQ)(server.ends.server)}`,
        likelyCauses: status === 14
            ? ['The server has no ready endpoint behind it', 'The server ends or restarts']
            : status === 4
                ? ['The server, or a service that it calls, is slower than the client\u2019s deadline']
                : ['An error in the server, or a request that it does not accept'],
        nextSteps: ['The logs of the server\u2019s pods at these times', 'The header grpc-message of the answers in Wireshark'],
        facts: { grpc_status: status, requests: server.requestCount },
    };
}
function unansweredFinding(server, clock) {
    const { unanswered } = server;
    return {
        id: 'http-unanswered',
        severity: 'warning',
        title: `${(0,wording/* serverText */.Tn)(server.server, unanswered.backends)} did not answer ${unanswered.count} of ${(0,wording/* counted */.hS)(server.requestCount, 'request')} (${topRequests(unanswered)})`,
        count: unanswered.count,
        evidence: [evidenceOf(unanswered, server.ends, clock)],
        displayFilter: exchangeFilter(server, 'http.request && !http.response_in', unanswered.frames),
        likelyCauses: [
            'The server closed or reset the connection, or ended',
            'The server still works on the request at the end of the capture',
            'The answer was not captured',
        ],
        nextSteps: ['The logs and restarts of the server\u2019s pods', 'How these connections end: look for resets'],
        facts: { requests: server.requestCount },
    };
}
function slowFinding(server, clock) {
    const { slow, firstByte, slowest } = server;
    const frames = slowest.map(({ responseFrame }) => responseFrame);
    const { p50_ms: p50Ms = 0, p95_ms: p95Ms = 0, max_ms: maxMs = 0 } = firstByte.summary();
    return {
        id: 'http-slow',
        severity: 'warning',
        title: `${(0,wording/* serverText */.Tn)(server.server, slow.backends)} took 1 s or more for the first byte of ${slow.count} of ${(0,wording/* counted */.hS)(server.responseCount, 'answer')}, the slowest ${(0,wording/* durationText */.S5)(maxMs)} (${topRequests(slow)})`,
        count: slow.count,
        evidence: [evidenceOf({ ...slow, frames }, server.ends, clock)],
        displayFilter: exchangeFilter(server, 'http.time >= 1', frames),
        likelyCauses: [
            'The server is overloaded, or throttled by its CPU limit',
            'A database or service that it needs is slow',
            'The server is starting, or collects garbage',
        ],
        nextSteps: [
            'CPU usage, limits and throttling of the server\u2019s pods',
            'The same requests in the traces or logs of the server',
        ],
        facts: { p50_ms: p50Ms, p95_ms: p95Ms, max_ms: maxMs, answers: server.responseCount },
    };
}
/** Wireshark sees the requests of a connection that is redirected to a proxy and their answers in two connections, and matches none of them. */
function exchangeFilter({ ends: { server } }, condition, frames) {
    return server.redirectPort === undefined ? `${condition} && ${(0,wording/* serverFilter */.yQ)(server)}` : (0,wording/* framesFilter */.rp)(frames);
}
function topRequests({ requests }) {
    return (0,wording/* listed */.KE)(requests.top(10).map(([request]) => request.trim()));
}

;// CONCATENATED MODULE: ./src/analysis/findings/rejection-findings.ts



/** F3: packets that a router, a policy or the destination rejected, and addresses that no host on the link has. */
function rejectionFindings(icmp, neighbors, clock) {
    return [
        ...icmp.errors().flatMap((error) => rejectionFinding(error, clock)),
        ...neighbors.unanswered().map((neighbor) => missingFinding(neighbor, clock)),
    ];
}
/** ICMP 3/x and ICMPv6 1/x; too-big messages are normal and belong to the path MTU. */
function rejectionOf({ ipVersion, type, code }) {
    if (ipVersion === 6) {
        if (type !== 1)
            return undefined;
        return code === 4 ? 'port' : code === 1 || code === 5 || code === 6 ? 'policy' : 'route';
    }
    if (type !== 3 || code === 4)
        return undefined;
    if (code === 2 || code === 3)
        return 'port';
    return code === 9 || code === 10 || code === 13 ? 'policy' : 'route';
}
const rejection_findings_texts = {
    port: {
        verb: 'has no listener for',
        causes: [
            'The service has no ready endpoints: its pods crash, start, or fail their readiness probe',
            'Nothing listens on this port: the process is not running or uses another port',
            'A rule rejects the packets (REJECT of iptables)',
        ],
        next: [
            'kubectl get pods,endpointslices of the service: ready endpoints and restarts',
            'The container\u2019s ports, and targetPort of the service',
        ],
    },
    route: {
        verb: 'cannot be reached by',
        causes: [
            'The pod or node of this address is gone',
            'A route is missing: the CNI plugin of a node does not work',
            'The service has no endpoints',
        ],
        next: ['kubectl get pods,endpointslices -o wide for this address', 'The CNI pods of both nodes and their logs'],
    },
    policy: {
        verb: 'rejects by a rule',
        causes: ['A NetworkPolicy, a host firewall or a security group rejects the packets'],
        next: ['NetworkPolicies of both namespaces', 'The firewall of the node and of the cloud'],
    },
};
function rejectionFinding(error, clock) {
    const rejection = rejectionOf(error);
    const { quoted } = error;
    if (rejection === undefined || quoted === undefined)
        return [];
    const { verb, causes, next } = rejection_findings_texts[rejection];
    const client = { address: quoted.source, port: quoted.sourcePort };
    const server = { address: quoted.destination, port: quoted.destinationPort };
    const protocol = protocolName(quoted.protocol);
    const by = error.reporter === quoted.destination ? '' : `, as ${error.reporter} reports`;
    const details = error.backends.size === 0 ? protocol : `${protocol}, ${(0,wording/* backendsText */.d5)(error.backends)}`;
    const target = quoted.destinationPort > 0 ? `${(0,wording/* endpointText */.HO)(server)} (${details})` : quoted.destination;
    return [
        {
            id: 'icmp-rejected',
            severity: 'error',
            title: `${target} ${verb} ${(0,wording/* counted */.hS)(error.count, 'packet')} of ${quoted.source}${by}`,
            count: error.count,
            evidence: [evidenceOf(error, { client, server }, clock)],
            displayFilter: `${error.ipVersion === 6 ? 'icmpv6' : 'icmp'}.type == ${error.type} && ${error.ipVersion === 6 ? 'icmpv6' : 'icmp'}.code == ${error.code} && ${(0,wording/* addressFilter */.hO)(quoted.destination)}`,
            likelyCauses: causes,
            nextSteps: next,
            facts: { type: error.type, code: error.code, reporter: error.reporter, rejection },
        },
    ];
}
function protocolName(protocol) {
    if (protocol === ipProtocol.tcp)
        return 'TCP';
    return protocol === ipProtocol.udp ? 'UDP' : `protocol ${protocol}`;
}
function missingFinding(neighbor, clock) {
    const { address, asker, count, ipVersion } = neighbor;
    const ends = { client: { address: asker, port: 0 }, server: { address, port: 0 } };
    return {
        id: 'address-missing',
        severity: 'warning',
        title: `No host on the link has the address ${address}: ${(0,wording/* counted */.hS)(count, 'request')} of ${asker} got no answer`,
        count,
        evidence: [evidenceOf(neighbor, ends, clock)],
        displayFilter: ipVersion === 6
            ? `icmpv6.nd.ns.target_address == ${address}`
            : `arp.opcode == 1 && arp.dst.proto_ipv4 == ${address}`,
        likelyCauses: [
            'The pod of this address was deleted, and a client still uses it',
            'The node of this address is down',
            'The CNI plugin did not set up the interface',
        ],
        nextSteps: ['kubectl get pods -A -o wide for this address', 'kubectl get endpointslices -A: stale endpoints'],
        facts: { requests: count },
    };
}

;// CONCATENATED MODULE: ./src/analysis/findings/tls-findings.ts



/** A certificate that ends sooner than this after the capture is worth a finding. */
const soonSeconds = 7 * 86_400;
/** F12: handshakes that failed, and certificates that are out of date or will be within a week. */
function tlsFindings({ connections }, clock) {
    return [
        ...connections.failures().map((failure) => failureFinding(failure, clock)),
        ...connections.certificates().flatMap((seen) => certificateFinding(seen, clock)),
    ];
}
function failureFinding(failure, clock) {
    const { count, ends, reason, serverName } = failure;
    return {
        ...failureText(failure),
        severity: 'error',
        count,
        evidence: [evidenceOf(failure, ends, clock)],
        facts: {
            reason: reason.kind,
            ...(reason.kind === 'alert' ? { alert: reason.alert, sender: reason.sender } : {}),
            ...(serverName === undefined ? {} : { server_name: serverName }),
        },
    };
}
function failureText(failure) {
    const { reason } = failure;
    switch (reason.kind) {
        case 'alert':
            return alertText(failure, reason);
        case 'closed':
            return closedText(failure, reason);
        case 'foreign answer':
            return {
                id: 'tls-to-plain-server',
                title: `${nameOf(failure)} does not speak TLS on this port: it answered ${(0,wording/* counted */.hS)(failure.count, 'TLS handshake')} with ${reason.protocol}`,
                displayFilter: `${(0,wording/* serverFilter */.yQ)(failure.ends.server)} && tcp.len > 0`,
                likelyCauses: [
                    'The client uses https, and the port serves http',
                    'The service sends TLS to the port for clear text (targetPort)',
                    'The server has no sidecar that ends TLS',
                ],
                nextSteps: [
                    'The scheme and the port in the configuration of the client',
                    'kubectl get service -o yaml: port and targetPort',
                    'DestinationRule and PeerAuthentication, with Istio',
                ],
            };
        case 'foreign request':
            return {
                id: 'plain-to-tls-server',
                title: `${nameOf(failure)} expects TLS on this port, and ${(0,wording/* counted */.hS)(failure.count, 'connection')} sent ${reason.protocol} in clear text`,
                displayFilter: `${(0,wording/* serverFilter */.yQ)(failure.ends.server)} && tcp.len > 0`,
                likelyCauses: [
                    'The client uses http, and the port serves https',
                    'A probe or an ingress uses the wrong scheme',
                    'mTLS is strict, and the client has no sidecar',
                ],
                nextSteps: [
                    'The scheme and the port in the configuration of the client',
                    'httpGet.scheme of the probes',
                    'The annotation backend-protocol of the ingress',
                ],
            };
    }
}
function alertText(failure, reason) {
    const { alert, sender } = reason;
    const meaning = (0,tls_names/* alertMeaning */.e2)(alert);
    const who = sender === 'unknown' ? 'one side' : `the ${sender}`;
    const offered = failure.example.offeredVersions.map(tls_names/* versionName */.sh).join(', ');
    const details = [meaning, alert === 'protocol_version' && offered !== '' ? `offered: ${offered}` : undefined];
    const text = details.filter((detail) => detail !== undefined).join('; ');
    return {
        id: 'tls-alert',
        title: `${(0,wording/* counted */.hS)(failure.count, 'TLS handshake')} with ${nameOf(failure)} failed: ${who} sent the alert ${alert}${text === '' ? '' : ` (${text})`}`,
        displayFilter: `tls.alert_message && ${(0,wording/* serverFilter */.yQ)(failure.ends.server)}`,
        likelyCauses: alertCauses(alert, sender),
        nextSteps: sender === 'client'
            ? [
                'The certificate of the server: openssl s_client -connect HOST:PORT -servername NAME',
                'The CA bundle of the client',
                'kubectl get certificate, with cert-manager',
            ]
            : [
                'The client certificate and its Secret',
                'The TLS settings of the server: versions, ciphers and client CA',
                'PeerAuthentication, with Istio',
            ],
    };
}
function alertCauses(alert, sender) {
    switch (alert) {
        case 'certificate_expired':
            return ['A certificate was not renewed, or the pod still uses the old one', 'The clock of a node is wrong'];
        case 'protocol_version':
            return ['An old client or an old server: there is no version of TLS that both speak'];
        case 'unrecognized_name':
            return ['The server has no certificate or route for this name'];
        case 'certificate_required':
            return ['The server requires a client certificate (mTLS), and the client has none'];
        case 'no_application_protocol':
            return ['The server does not speak the protocol that the client asks for, for example HTTP/2 for gRPC'];
    }
    if (sender === 'client') {
        return [
            'The CA of the server\u2019s certificate is not in the CA bundle of the client',
            'The certificate is for other names',
            'A proxy in between presents its own certificate',
        ];
    }
    return [
        'The server requires a client certificate (mTLS) that is missing or not accepted',
        'There is no cipher suite that both support',
    ];
}
function closedText(failure, reason) {
    const when = reason.hasServerHello ? 'before both sides sent data' : 'without an answer of the server';
    return {
        id: 'tls-closed',
        title: `${(0,wording/* counted */.hS)(failure.count, 'TLS connection')} with ${nameOf(failure)} ended ${when}: the ${reason.sender} ${reason.by === 'reset' ? 'reset' : 'closed'} it without an alert`,
        displayFilter: `${(0,wording/* serverFilter */.yQ)(failure.ends.server)} && (tls.handshake || tcp.flags.reset == 1 || tcp.flags.fin == 1)`,
        likelyCauses: [
            'The server, or a gateway before it, has no route for the requested name (SNI)',
            'The client gave up, or only checks that the port is open',
            'The server ended or restarted',
        ],
        nextSteps: ['The logs of the server', 'The hosts of the gateway or ingress', 'Restarts of the server\u2019s pods'],
    };
}
function certificateFinding(seen, clock) {
    const { notAfterSeconds, notBeforeSeconds, names } = seen.certificate;
    const validity = validityAt(seen, clock.endSeconds);
    if (validity === undefined)
        return [];
    const { id, state, edgeSeconds } = validity;
    return [
        {
            id,
            severity: id === 'certificate-expires-soon' ? 'warning' : 'error',
            title: `The certificate of ${nameOf(seen)} ${state} ${dateText(edgeSeconds)}`,
            count: seen.count,
            evidence: [evidenceOf(seen, seen.ends, clock)],
            displayFilter: `tls.handshake.certificate && ${(0,wording/* serverFilter */.yQ)(seen.ends.server)}`,
            likelyCauses: [
                'The certificate was not renewed',
                'What serves it reads its Secret only when it starts, and still uses the old one',
                'The clock of a node is wrong',
            ],
            nextSteps: [
                'kubectl get certificate, with cert-manager',
                'The dates of tls.crt in the Secret',
                'Restart what serves the certificate',
            ],
            facts: {
                not_before: dateText(notBeforeSeconds),
                not_after: dateText(notAfterSeconds),
                ...(names[0] === undefined ? {} : { first_name: names[0] }),
            },
        },
    ];
}
function validityAt({ certificate: { notAfterSeconds, notBeforeSeconds } }, seconds) {
    if (notAfterSeconds < seconds)
        return { id: 'certificate-expired', state: 'expired on', edgeSeconds: notAfterSeconds };
    if (notBeforeSeconds > seconds) {
        return { id: 'certificate-not-yet-valid', state: 'is not valid before', edgeSeconds: notBeforeSeconds };
    }
    if (notAfterSeconds - seconds > soonSeconds)
        return undefined;
    return { id: 'certificate-expires-soon', state: 'expires on', edgeSeconds: notAfterSeconds };
}
function nameOf({ serverName, server, backends }) {
    if (serverName === undefined)
        return (0,wording/* serverText */.Tn)(server, backends);
    const behind = backends.size === 0 ? '' : `, ${(0,wording/* backendsText */.d5)(backends)}`;
    return `${serverName} (${server}${behind})`;
}
/** A certificate may have any year; the text of most is a date. */
function dateText(seconds) {
    const date = new Date(seconds * 1000);
    return Number.isNaN(date.getTime())
        ? 'an invalid date'
        : date
            .toISOString()
            .replace(/:\d\d\.\d+Z$/, ' UTC')
            .replace('T', ' ');
}

;// CONCATENATED MODULE: ./src/analysis/findings/application-findings.ts




/** All findings of the application protocols, in no order. To be called after `tracker.finish()`. */
function applicationFindings(tracker, clock) {
    return [
        ...rejectionFindings(tracker.icmp, tracker.neighbors, clock),
        ...dnsFindings(tracker.dns, clock),
        ...tlsFindings(tracker.tls, clock),
        ...httpFindings(tracker.http, clock),
    ];
}

// EXTERNAL MODULE: ./src/analysis/details/capture-details.ts + 7 modules
var capture_details = __webpack_require__(48779);
;// CONCATENATED MODULE: ./src/analysis/sides/local-side.ts
/** Which addresses are on this side: those of the captured pod or node. */
class LocalSide {
    source;
    addresses;
    constructor(source, addresses) {
        this.source = source;
        this.addresses = new Set(addresses);
    }
    /** Undefined: it is not known. */
    has(address) {
        if (isLoopbackAddress(address) || this.addresses.has(address))
            return true;
        // Of a pod with addresses of both families, a capture may have told only those of one.
        return [...this.addresses].some((known) => isIpv6(known) === isIpv6(address)) ? false : undefined;
    }
}
/** It never leaves its host. */
function isLoopbackAddress(address) {
    return address === '::1' || /^(::ffff:)?127\./.test(address);
}
function isIpv6(address) {
    return address.includes(':');
}
/** The addresses as the Kubernetes API writes them, in the form in which packets are shown. */
function givenSide(addresses) {
    const known = addresses.filter((address) => address !== '');
    return known.length === 0 ? undefined : new LocalSide('given', known.map(canonical));
}
/** RFC 5952: one text for each address. What is no address stays as it is. */
function canonical(address) {
    if (!isIpv6(address) || !URL.canParse(`http://[${address}]`))
        return address;
    return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

;// CONCATENATED MODULE: ./src/analysis/diagnosis/areas.ts
const areas = {
    'connection-no-answer': 'connections',
    'connection-refused': 'connections',
    'connection-not-accepted': 'connections',
    'connection-half-open': 'connections',
    'connection-reset': 'resets',
    'connection-reset-after-idle': 'resets',
    'data-resent': 'loss',
    'data-late': 'loss',
    'peer-vanished': 'loss',
    'path-mtu-black-hole': 'loss',
    'receiver-stalled': 'stalls',
    'dns-unanswered': 'dns',
    'dns-failed': 'dns',
    'dns-name-missing': 'dns',
    'dns-slow': 'dns',
    'dns-truncated': 'dns',
    'dns-search-list': 'dns',
    'dns-race': 'dns',
    'tls-alert': 'tls',
    'tls-to-plain-server': 'tls',
    'plain-to-tls-server': 'tls',
    'tls-closed': 'tls',
    'certificate-expired': 'tls',
    'certificate-not-yet-valid': 'tls',
    'certificate-expires-soon': 'tls',
    'http-server-errors': 'http',
    'http-client-errors': 'http',
    'http-unanswered': 'http',
    'http-slow': 'http',
    'grpc-errors': 'http',
    'icmp-rejected': 'icmp',
    'address-missing': 'neighbors',
};

;// CONCATENATED MODULE: ./src/analysis/diagnosis/blame.ts
const blame_dnsPort = 53;
const rules = {
    'connection-no-answer': {
        culprit: 'policy',
        sureness: 'medium',
        because: 'a rule that drops packets, a missing route and a dead node look the same from here',
    },
    'connection-refused': {
        culprit: 'server',
        sureness: 'high',
        because: 'the server\u2019s address answers, and refuses the connection',
    },
    'connection-not-accepted': {
        culprit: 'server',
        sureness: 'medium',
        because: 'other connections to the same port were opened; loss of these packets would look the same',
    },
    'connection-half-open': {
        culprit: 'network',
        sureness: 'medium',
        because: 'the server answered, and the client\u2019s part of the handshake is missing',
    },
    'connection-reset': {
        culprit: 'server',
        sureness: 'medium',
        because: 'a reset carries the address of an end, but a proxy or firewall in between can send it, too',
    },
    'connection-reset-after-idle': {
        culprit: 'network',
        sureness: 'medium',
        because: 'a forgotten connection in between looks like this; an idle time-out of the server does, too',
    },
    'data-resent': { culprit: 'network', sureness: 'high', because: 'the same bytes were sent again' },
    'data-late': {
        culprit: 'network',
        sureness: 'medium',
        because: 'the data was lost or reordered before this point, and which of both is not known',
    },
    'peer-vanished': {
        culprit: 'network',
        sureness: 'medium',
        because: 'the acknowledgments stopped; an end that is gone looks the same as a path that is broken',
    },
    'path-mtu-black-hole': {
        culprit: 'network',
        sureness: 'high',
        because: 'large segments are never acknowledged, and smaller ones after them are',
    },
    'receiver-stalled': { culprit: 'server', sureness: 'high', because: 'the receiver itself announced a window of 0' },
    'dns-unanswered': {
        culprit: 'dns',
        sureness: 'high',
        because: 'queries are in the capture, and their answers are not',
    },
    'dns-failed': { culprit: 'dns', sureness: 'high', because: 'the error is in the DNS server\u2019s own answers' },
    'dns-name-missing': {
        culprit: 'dns',
        sureness: 'medium',
        because: 'the DNS server works; whether the names should exist is not known',
    },
    'dns-slow': { culprit: 'dns', sureness: 'high', because: 'the time from query to answer was measured' },
    'dns-truncated': {
        culprit: 'dns',
        sureness: 'low',
        because: 'queries over TCP may be missing because of the filter of the capture',
    },
    'dns-search-list': { culprit: 'dns', sureness: 'high', because: 'the queries and their answers are in the capture' },
    'dns-race': {
        culprit: 'dns',
        sureness: 'medium',
        because: 'loss of single packets would look the same',
    },
    'tls-alert': { culprit: 'tls', sureness: 'high', because: 'the alert says it' },
    'tls-to-plain-server': { culprit: 'tls', sureness: 'high', because: 'both protocols are in the capture' },
    'plain-to-tls-server': { culprit: 'tls', sureness: 'high', because: 'both protocols are in the capture' },
    'tls-closed': {
        culprit: 'tls',
        sureness: 'medium',
        because: 'the connection ended without an alert that would say why',
    },
    'certificate-expired': { culprit: 'tls', sureness: 'high', because: 'the certificate is in the capture' },
    'certificate-not-yet-valid': { culprit: 'tls', sureness: 'high', because: 'the certificate is in the capture' },
    'certificate-expires-soon': { culprit: 'tls', sureness: 'high', because: 'the certificate is in the capture' },
    'http-server-errors': { culprit: 'server', sureness: 'high', because: 'the status is in the server\u2019s own answers' },
    'http-client-errors': {
        culprit: 'client',
        sureness: 'medium',
        because: 'the server refuses the requests; whether they are right is not known',
    },
    'http-unanswered': {
        culprit: 'server',
        sureness: 'medium',
        because: 'the requests are in the capture, and no answer came',
    },
    'http-slow': { culprit: 'server', sureness: 'high', because: 'the time from request to answer was measured' },
    'grpc-errors': { culprit: 'server', sureness: 'high', because: 'the status is in the server\u2019s own answers' },
    'icmp-rejected': { culprit: 'server', sureness: 'high', because: 'the ICMP message says it' },
    'address-missing': {
        culprit: 'server',
        sureness: 'medium',
        because: 'no host on the link answers for the address: the pod is gone, or its interface is broken',
    },
};
/** `side`: which addresses are those of the captured pod or node. */
function blame(finding, side) {
    const { culprit, sureness, because } = ruleOf(finding);
    if (culprit !== 'client' && culprit !== 'server')
        return { culprit, sureness, because, isSideAssumed: false };
    const serverIsLocal = isServerLocal(finding, side);
    const isLocal = culprit === 'server' ? serverIsLocal : isClientLocal(finding, side, serverIsLocal);
    const assumed = culprit === 'client';
    return {
        culprit: (isLocal ?? assumed) ? 'self' : 'peer',
        sureness,
        because,
        isSideAssumed: isLocal === undefined,
    };
}
/** Where a finding of one kind has several causes, its facts tell which. */
const special = {
    'connection-no-answer': ({ facts }) => facts['address_answers'] === 'yes'
        ? { sureness: 'high', because: 'the same address answers on other connections, and not on these' }
        : {},
    'connection-reset': ({ facts }) => resetRule(String(facts['by'])),
    'receiver-stalled': ({ facts }) => (facts['who'] === 'client' ? { culprit: 'client' } : {}),
    'icmp-rejected': ({ facts }) => ({ culprit: rejectionCulprit(String(facts['rejection'])) }),
    'grpc-errors': ({ severity }) => (severity === 'error' ? {} : { culprit: 'client', sureness: 'medium' }),
    'data-resent': ({ count }) => (count >= 10 ? {} : { sureness: 'medium', because: 'few segments were sent again' }),
};
function ruleOf(finding) {
    const rule = { ...rules[finding.id], ...special[finding.id]?.(finding) };
    return areConnectionsToDns(finding) ? { ...rule, culprit: 'dns' } : rule;
}
/** An error of reaching the DNS server is one of name resolution; the late answer that a client no longer waits for, too. */
function areConnectionsToDns({ id, evidence }) {
    const isReachability = id.startsWith('connection-') || id === 'icmp-rejected' || id === 'peer-vanished';
    return isReachability && evidence.every(({ client, server }) => server.port === blame_dnsPort || client.port === blame_dnsPort);
}
function resetRule(by) {
    if (by.startsWith('client'))
        return { culprit: 'client' };
    return by.startsWith('server') ? {} : { sureness: 'low', because: 'who opened the connection was not captured' };
}
function rejectionCulprit(rejection) {
    if (rejection === 'policy')
        return 'policy';
    return rejection === 'route' ? 'network' : 'server';
}
/** Undefined: it is not known. */
function isServerLocal({ id, evidence }, side) {
    const ends = evidence[0];
    // A host answers for its own addresses.
    if (id === 'address-missing')
        return false;
    if (ends === undefined)
        return undefined;
    return areLocal(serversOf(ends), side) ?? (side.has(ends.client.address) === true ? false : undefined);
}
/** The connections of one side are those of its clients, where their servers are on neither side. */
function isClientLocal({ evidence }, side, serverIsLocal) {
    const ends = evidence[0];
    if (ends === undefined)
        return undefined;
    const isLocal = side.has(ends.client.address);
    if (isLocal === true)
        return true;
    return serverIsLocal === undefined ? undefined : !serverIsLocal;
}
function serversOf({ server, backend }) {
    return backend === undefined ? [server.address] : [server.address, backend.address];
}
function areLocal(addresses, side) {
    const known = addresses.map((address) => side.has(address));
    return known.includes(true) ? true : known.includes(undefined) ? undefined : false;
}

;// CONCATENATED MODULE: ./src/analysis/diagnosis/capture-facts.ts


/** `dropped`: packets that the capturing side reports, beside those that the file reports. */
function captureFacts({ analysis, findings, application, times }, end, dropped) {
    const { frames, connections, decoder } = analysis;
    const { totals, resentData, evidence } = connections.tcp;
    const hasPackets = frames.frames > 0;
    const toMs = (timeNs) => hasPackets ? decoder.baseSeconds * 1_000 + Math.floor(timeNs / 1e6) : undefined;
    const ackLost = tcpEventNames.findIndex(([, bit]) => bit === tcpEvent.ackLostSegment);
    const { dns, tls, http, neighbors, icmp } = application;
    const overflows = [dns.servers, tls.connections, http.servers, neighbors, icmp, times].map(({ overflowCount }) => overflowCount);
    return {
        packets: end.packets,
        bytesOnWire: frames.bytesOnWire,
        firstMs: toMs(frames.firstNs),
        lastMs: toMs(frames.lastNs),
        durationSeconds: hasPackets ? (frames.lastNs - frames.firstNs) / 1e9 : 0,
        tcpConnections: totals.connections,
        withoutHandshake: totals.handshake.without_syn,
        twoWay: findings.twoWay,
        oneWay: findings.oneWay,
        hasOnlyHandshakes: findings.hasOnlyHandshakes,
        dropped: dropped + end.reportedDrops,
        gaps: resentData.unfilledHoles + (totals.events[ackLost] ?? 0),
        snapped: frames.snapped,
        snapBytes: frames.snapBytes,
        isCutShort: end.isCutShort,
        broken: end.broken,
        fragments: frames.ipFragments,
        clockSetBack: frames.clockSetBack,
        tlsConnections: tls.connections.handshakeCount,
        encryptedPackets: frames.layerCounts[31 - Math.clz32(decoded_packet_layer.esp)] ?? 0,
        copies: connections.copiedPackets,
        otherHosts: connections.otherHostsPackets,
        notKept: connections.table.evictedCount +
            findings.dropped +
            evidence.dropped +
            application.evictedCount +
            dns.evictedCount +
            overflows.reduce((sum, count) => sum + count, 0),
    };
}

;// CONCATENATED MODULE: ./src/analysis/diagnosis/clean-checks.ts


/** Only what the capture shows: where there was no DNS, DNS is not clean. */
function cleanChecks(trackers, facts, { findings, withheld }) {
    const suspicious = new Set([...findings, ...withheld].map(({ id }) => areas[id]));
    const checks = [...tcpChecks(trackers, facts), ...applicationChecks(trackers)];
    return checks.filter(({ area }) => !suspicious.has(area));
}
function tcpChecks({ analysis }, { twoWay, hasOnlyHandshakes, tcpConnections }) {
    if (twoWay === 0)
        return [];
    const { totals, resentData } = analysis.connections.tcp;
    const { handshake } = totals;
    const checks = [];
    if (handshake.with_syn > 0 && !hasOnlyHandshakes) {
        checks.push({
            area: 'connections',
            text: `connections (${handshake.established} of ${handshake.with_syn} opened)`,
        });
    }
    if (tcpConnections > 0 && !hasOnlyHandshakes)
        checks.push({ area: 'resets', text: 'resets' });
    const { resent, late, dataSegments } = resentData;
    if (dataSegments > 0) {
        const again = resent + late === 0 ? 'none' : `${resent + late} sent again or late`;
        checks.push({ area: 'loss', text: `loss (${again} of ${(0,wording/* counted */.hS)(dataSegments, 'data segment')})` });
        checks.push({ area: 'stalls', text: 'receivers that stall' });
    }
    return checks;
}
function applicationChecks({ application: { dns, tls, http } }) {
    const checks = [];
    const queries = dns.servers.all().reduce((sum, { queryCount }) => sum + queryCount, 0);
    if (queries > 0) {
        const p95Ms = dns.counters().time.p95_ms;
        const time = p95Ms === undefined ? '' : `, p95 ${(0,wording/* durationText */.S5)(p95Ms)}`;
        checks.push({ area: 'dns', text: `DNS (${(0,wording/* countedAs */.DV)(queries, 'query', 'queries')}${time})` });
    }
    const { handshakeCount } = tls.connections;
    if (handshakeCount > 0)
        checks.push({ area: 'tls', text: `TLS (${(0,wording/* counted */.hS)(handshakeCount, 'handshake')})` });
    const requests = http.servers.all().reduce((sum, { requestCount }) => sum + requestCount, 0);
    if (requests > 0)
        checks.push({ area: 'http', text: `HTTP (${(0,wording/* counted */.hS)(requests, 'request')})` });
    return checks;
}

;// CONCATENATED MODULE: ./src/analysis/diagnosis/limits.ts

const silences = new Set(['connection-no-answer', 'icmp-rejected', 'dns-unanswered']);
/** The limits of a capture, the gravest first. `isSideAssumed`: of the verdict. */
function limitsOf(facts, findings, isSideAssumed) {
    const side = {
        id: 'side',
        text: 'The packets do not tell whether this is a capture of the client or of the server: the client is taken for this side',
    };
    return [...fileLimits(facts), ...trafficLimits(facts, findings), ...(isSideAssumed ? [side] : [])];
}
function fileLimits({ packets, broken, isCutShort, dropped, clockSetBack, notKept }) {
    const limits = [];
    if (packets === 0)
        limits.push({ id: 'empty', text: 'No packet was captured: nothing can be said about the traffic' });
    if (broken !== undefined) {
        limits.push({
            id: 'damaged',
            text: `The file is damaged: what is behind ${(0,wording/* counted */.hS)(packets, 'packet')} was not read`,
        });
    }
    if (isCutShort)
        limits.push({ id: 'cut-file', text: 'The file ends inside a packet: what came later is not known' });
    if (dropped > 0) {
        limits.push({
            id: 'dropped',
            text: `${(0,wording/* countedAs */.DV)(dropped, 'packet was', 'packets were')} dropped while capturing: an answer that is missing may be one of them`,
        });
    }
    if (clockSetBack > 0) {
        limits.push({
            id: 'clock',
            text: `The times go back ${(0,wording/* countedAs */.DV)(clockSetBack, 'time', 'times')}: durations may be wrong`,
        });
    }
    if (notKept > 0) {
        limits.push({
            id: 'memory',
            text: `More connections, servers or names than the analysis keeps: ${notKept.toLocaleString('en-US')} were not followed to their end`,
        });
    }
    return limits;
}
function trafficLimits(facts, findings) {
    const limits = [];
    const { twoWay, oneWay, gaps, snapped, snapBytes, packets, withoutHandshake, tcpConnections } = facts;
    // Silence that is proven is no effect of the filter.
    const isSilent = twoWay === 0 && findings.some(({ id }) => silences.has(id));
    const isOneSided = twoWay === 0 && oneWay > 0 && !isSilent;
    if (isOneSided) {
        limits.push({
            id: 'one-direction',
            text: 'Each connection was captured in one direction only, by the filter or the place: answers cannot be told from their absence',
        });
    }
    if (facts.hasOnlyHandshakes && !isOneSided && !isSilent) {
        limits.push({
            id: 'handshakes-only',
            text: 'Only the packets that open connections were captured: not what the connections carried, nor how they ended',
        });
    }
    if (gaps > 0) {
        limits.push({
            id: 'gaps',
            text: `${(0,wording/* counted */.hS)(gaps, 'gap')} in the data of connections: packets that arrived were not captured`,
        });
    }
    if (snapped > 0) {
        limits.push({
            id: 'snaplen',
            text: `${(0,wording/* countedAs */.DV)(snapped, 'packet was', 'packets were')} cut (of ${packets.toLocaleString('en-US')}, to at most ${snapBytes} bytes): requests and answers are read in part`,
        });
    }
    if (withoutHandshake > 0) {
        limits.push({
            id: 'no-handshake',
            text: `${withoutHandshake} of ${(0,wording/* counted */.hS)(tcpConnections, 'TCP connection')} began before the capture, or their SYN was not captured: their round trip is not known`,
        });
    }
    limits.push(...unreadable(facts));
    return limits;
}
function unreadable({ tlsConnections, encryptedPackets, fragments }) {
    const limits = [];
    if (tlsConnections > 0) {
        limits.push({
            id: 'encrypted',
            text: `${(0,wording/* countedAs */.DV)(tlsConnections, 'connection is', 'connections are')} encrypted with TLS: the requests and status codes inside cannot be read`,
        });
    }
    else if (encryptedPackets > 0) {
        limits.push({
            id: 'encrypted',
            text: `${(0,wording/* countedAs */.DV)(encryptedPackets, 'packet is', 'packets are')} encrypted with IPsec: what is inside cannot be read`,
        });
    }
    if (fragments > 0) {
        limits.push({ id: 'fragments', text: `${(0,wording/* counted */.hS)(fragments, 'IP fragment')}: they are not put together` });
    }
    return limits;
}

;// CONCATENATED MODULE: ./src/analysis/diagnosis/ranking.ts

const severities = { error: 0, warning: 1, notice: 2 };
/** Among findings of the same weight: what comes first in a connection's life causes what comes later. */
const order = [
    'address-missing',
    'icmp-rejected',
    'dns-unanswered',
    'dns-race',
    'dns-failed',
    'path-mtu-black-hole',
    'connection-no-answer',
    'connection-refused',
    'connection-not-accepted',
    'tls-alert',
    'certificate-expired',
    'certificate-not-yet-valid',
    'tls-to-plain-server',
    'plain-to-tls-server',
    'tls-closed',
    'peer-vanished',
    'connection-reset-after-idle',
    'connection-reset',
    'http-server-errors',
    'grpc-errors',
    'receiver-stalled',
    'dns-slow',
    'http-slow',
    'http-unanswered',
    'data-resent',
    'data-late',
    'connection-half-open',
    'http-client-errors',
    'dns-name-missing',
    'dns-search-list',
    'certificate-expires-soon',
    'dns-truncated',
];
/** The findings that explain most first: by severity, then by the share of what they affect, then by what causes what. */
function ranking_rank(findings, servers) {
    const connections = new Map(servers.map((times) => [(0,wording/* endpointText */.HO)(times.server), times.connections]));
    const ranked = findings.toSorted((one, other) => severities[one.severity] - severities[other.severity] ||
        impact(one, connections) - impact(other, connections) ||
        place(one) - place(other) ||
        other.count - one.count);
    return causesFirst(ranked);
}
const ranking_dnsPort = 53;
function place({ id, evidence }) {
    // A client that no longer waits rejects the answer that comes late: an effect.
    const isLateAnswer = id === 'icmp-rejected' && evidence[0]?.client.port === ranking_dnsPort;
    return isLateAnswer ? order.length : order.indexOf(id);
}
/** 0: at least 5 % of the server's connections, queries or requests; 1: at least 0.5 %; 2: fewer. */
function impact({ count, facts, evidence }, connections) {
    const server = evidence[0]?.server;
    const opened = server === undefined ? 0 : (connections.get((0,wording/* endpointText */.HO)(server)) ?? 0);
    const totals = [facts['requests'], facts['queries'], facts['answers'], facts['data_segments'], count + opened];
    const total = totals.find((value) => typeof value === 'number' && value > 0);
    const share = count / Number(total ?? count);
    if (share >= 0.05)
        return 0;
    return share >= 0.005 ? 1 : 2;
}
/** An address that no host has explains why nothing of it answers, whatever the severity says. */
function causesFirst(findings) {
    const first = findings[0]?.evidence[0]?.server.address;
    const isCause = ({ id, evidence }) => id === 'address-missing' && evidence[0]?.server.address === first;
    return [...findings.filter(isCause), ...findings.filter((finding) => !isCause(finding))];
}

;// CONCATENATED MODULE: ./src/analysis/diagnosis/withhold.ts

/** The headers of Ethernet, IPv6 and UDP, and that of DNS: packets that are cut shorter may be answers that were not read. */
const dnsHeadersBytes = 74;
/**
 * Separates the findings that this capture can carry. What is missing proves something only where it would have been captured: of a missing
 * answer nothing is said if more packets are missing than answers.
 */
function withhold(findings, facts, application) {
    const kept = [];
    const withheld = [...oneSided(application)];
    for (const finding of findings) {
        const doubt = judges[finding.id]?.(finding, facts, application);
        if (doubt === undefined)
            kept.push(finding);
        else
            withheld.push({ id: finding.id, count: finding.count, ...doubt });
    }
    return { findings: kept, withheld };
}
/** Connections of which one direction was captured. */
function oneSided({ tls, http }) {
    const kinds = [
        { id: 'tls-closed', count: tls.connections.oneSidedCount, text: 'whether the TLS handshakes of' },
        { id: 'http-unanswered', count: http.oneSidedConnections, text: 'whether the requests on' },
    ];
    return kinds
        .filter(({ count }) => count > 0)
        .map(({ id, count, text }) => ({
        id,
        count,
        reason: 'one-direction',
        text: `${text} ${(0,wording/* counted */.hS)(count, 'connection')} ${id === 'tls-closed' ? 'succeeded' : 'were answered'} is not known: only one direction was captured`,
    }));
}
const notAnswered = (finding, { snapped, dropped, gaps }) => cutDoubt(finding, snapped) ?? missingDoubt(finding, dropped + gaps);
/** The findings that something is missing. */
const judges = {
    // A SYN that is repeated had no answer.
    'connection-no-answer': (finding, { dropped }) => Number(finding.facts['syns']) > 1 ? undefined : missingDoubt(finding, dropped),
    'connection-half-open': (finding, { dropped }) => missingDoubt(finding, dropped),
    'dns-unanswered': dnsDoubt,
    'http-unanswered': notAnswered,
    'tls-closed': notAnswered,
};
function dnsDoubt(finding, facts, { dns, icmp }) {
    const address = finding.evidence[0]?.server.address;
    const server = dns.servers.all().find((known) => known.server === address);
    // A client that asks again has no answer, also where the answers were not captured.
    if (server !== undefined && server.retryCount > 0)
        return undefined;
    if (icmp.errors().some(({ quoted }) => quoted?.destination === address))
        return undefined;
    if (facts.twoWay === 0)
        return { reason: 'one-direction', text: `${finding.title}: only one direction was captured` };
    if (facts.snapped > 0 && facts.snapBytes < dnsHeadersBytes) {
        const doubt = cutDoubt(finding, facts.snapped);
        if (doubt !== undefined)
            return doubt;
    }
    return missingDoubt(finding, facts.dropped);
}
function missingDoubt({ title, count }, missing) {
    if (missing < count)
        return undefined;
    return {
        reason: 'packets-missing',
        text: `${title}: ${(0,wording/* countedAs */.DV)(missing, 'packet was', 'packets were')} not captured, which may be the answers`,
    };
}
function cutDoubt({ title, count }, snapped) {
    if (snapped < count)
        return undefined;
    return {
        reason: 'packets-cut',
        text: `${title}: ${(0,wording/* countedAs */.DV)(snapped, 'packet was', 'packets were')} cut, in which the answers may be`,
    };
}

;// CONCATENATED MODULE: ./src/analysis/diagnosis.ts











/** To be called after the end of the analysis and of the application tracker. */
function diagnose(trackers, end, options = {}) {
    const { analysis, findings: connectionFindings, application, times } = trackers;
    const capture = captureFacts(trackers, end, options.dropped ?? 0);
    const { baseSeconds } = analysis.decoder;
    const clock = { baseSeconds, endSeconds: (capture.lastMs ?? 0) / 1_000 };
    const side = givenSide(options.localAddresses ?? []) ?? trackers.sides.side();
    const all = [...connectionFindings.findings(), ...applicationFindings(application, clock)].filter((finding) => !isOfOtherHost(finding, side));
    const sifted = withhold(all, capture, application);
    const withheld = [...connectionFindings.withheld(), ...sifted.withheld];
    const servers = times.servers(application);
    const findings = ranking_rank(sifted.findings, servers);
    const clean = cleanChecks(trackers, capture, { findings, withheld });
    const first = findings[0];
    const blamed = first === undefined || first.severity === 'notice' ? undefined : blame(first, side);
    const limits = limitsOf(capture, findings, blamed?.isSideAssumed ?? false);
    const details = (0,capture_details/* captureDetails */.X)(trackers, findings);
    const facts = { findings, withheld, clean, limits, servers, capture, details };
    if (first === undefined || blamed === undefined)
        return { ...nothingWrong(facts), ...facts };
    const { culprit, sureness, because } = blamed;
    return {
        sentence: `${leadOf(culprit, sureness, isNetworkClean(facts, side))}: ${first.title}`,
        detail: detailOf(first, facts, { errors: application.icmp.errors(), side }),
        culprit,
        sureness,
        because,
        severity: first.severity,
        ...facts,
    };
}
/** What another host on the link asked for by broadcast: the reply went to it alone. */
function isOfOtherHost({ id, evidence }, side) {
    const asker = evidence[0]?.client.address;
    return id === 'address-missing' && asker !== undefined && side.has(asker) === false;
}
function leadOf(culprit, sureness, networkIsClean) {
    switch (culprit) {
        case 'network':
            return sureness === 'high' ? 'The network' : 'Probably the network';
        case 'dns':
            return 'Name resolution';
        case 'tls':
            return 'TLS';
        case 'policy':
            return sureness === 'high' ? 'A NetworkPolicy or firewall rule' : 'Probably a NetworkPolicy or firewall rule';
        case 'peer':
            return networkIsClean ? 'Not the network' : 'The other side';
        case 'self':
            return networkIsClean ? 'This application, not the network' : 'This application';
        case 'none':
            return 'Nothing wrong';
    }
}
/** No finding is about the network, and the capture would show it. */
function isNetworkClean({ findings, capture }, side) {
    if (capture.twoWay === 0 || capture.hasOnlyHandshakes)
        return false;
    const isNetworks = (finding) => {
        const { culprit } = blame(finding, side);
        return culprit === 'network' || culprit === 'policy' || areas[finding.id] === 'loss';
    };
    return !findings.some(isNetworks);
}
/** How the network does where the application fails, and the other way round: with numbers. */
function detailOf(first, { servers, clean }, { errors, side }) {
    const ends = first.evidence[0];
    const name = ends === undefined ? undefined : (0,wording/* endpointText */.HO)(ends.server);
    const times = servers.find((known) => (0,wording/* endpointText */.HO)(known.server) === name);
    const parts = [];
    if (times?.roundTrip !== undefined && ends !== undefined && !isInOneHost(ends, side)) {
        const way = side.has(ends.server.address) === true ? `from its clients to ${name}` : `to ${name}`;
        parts.push(`round trip ${way} ${(0,wording/* durationText */.S5)(times.roundTrip.p50_ms)}`);
    }
    if (times?.thinkTime !== undefined)
        parts.push(`its answers take ${(0,wording/* durationText */.S5)(times.thinkTime.p95_ms)} at p95`);
    const cleanAreas = new Set(clean.map(({ area }) => area));
    if (cleanAreas.has('loss'))
        parts.push('no loss');
    if (cleanAreas.has('resets'))
        parts.push('no resets');
    const mtu = errors.find((error) => error.mtu !== undefined)?.mtu;
    if (areas[first.id] === 'loss' && mtu !== undefined) {
        parts.push(`ICMP reports an MTU of ${mtu} bytes on the path: data is sent again in smaller segments`);
    }
    const text = parts.join(', ');
    return text.charAt(0).toUpperCase() + text.slice(1);
}
/** Its round trip is none of a network. */
function isInOneHost({ client, server }, side) {
    const areLoopback = [client, server].some(({ address }) => isLoopbackAddress(address));
    return areLoopback || [client, server].every(({ address }) => side.has(address) === true);
}
const shownChecksCount = 3;
/** With these, nothing found says little; with the others of `LimitId`, it says less than it could. */
const graveLimits = ['empty', 'damaged', 'dropped', 'one-direction', 'handshakes-only'];
function nothingWrong({ clean, limits, withheld, findings, }) {
    const grave = limits.find(({ id }) => graveLimits.includes(id));
    const limit = grave ?? limits[0];
    const sureness = grave !== undefined || clean.length === 0 ? 'low' : (limit ?? withheld[0]) ? 'medium' : 'high';
    const because = limit?.text ??
        withheld[0]?.text ??
        (clean.length === 0 ? 'there was no traffic that could be checked' : 'all of it could be checked');
    return {
        sentence: nothingWrongSentence(clean, limits, withheld),
        detail: '',
        culprit: 'none',
        sureness,
        because: because.charAt(0).toLowerCase() + because.slice(1),
        severity: findings.length > 0 ? 'notice' : 'none',
    };
}
function nothingWrongSentence(clean, limits, withheld) {
    if (limits.some(({ id }) => id === 'empty'))
        return 'No packet was captured';
    if (clean.length === 0 && withheld.length > 0)
        return 'Nothing wrong is certain: this capture cannot carry what it seems to show';
    if (clean.length === 0)
        return 'Nothing wrong in what was captured, which is little: no connection or query could be checked';
    const shown = clean.slice(0, shownChecksCount).map(({ text }) => text);
    const what = withheld.length > 0 ? 'in what this capture can show' : 'in what was captured';
    return `Nothing wrong ${what}: ${shown.join(', ')}`;
}

;// CONCATENATED MODULE: ./src/analysis/diagnosis/server-times.ts




const server_times_maxServersCount = 1000;
const server_times_maxSamplesCount = 4096;
const server_times_dnsPort = 53;
/** Collects the network's part from each connection when it ends. */
class ServerTimesTracker {
    #connections;
    /** by the hash of the key */
    #servers = new Map();
    /** by the text of the endpoint: those that a proxy in the pod answers for */
    #redirected = new Map();
    #all = [];
    /** of the server that is looked up */
    #key = new Int32Array(5);
    /** servers that are not listed, because there were too many */
    overflowCount = 0;
    constructor(connections) {
        this.#connections = connections;
    }
    onConnectionEnd(connection) {
        const { words, doubles } = this.#connections.table;
        const at = connection * flowWords;
        if ((words[at + word.protocol] & 0xff) !== ipProtocol.tcp)
            return;
        if ((words[at + word.bits] & flowBit.established) === 0)
            return;
        const server = this.#server(connection);
        if (server === undefined)
            return;
        server.connections += 1;
        const roundTripNs = doubles[connection * flowDoubles + layout_double.roundTrip];
        // To a proxy in the same pod, the round trip says nothing about the network.
        if (roundTripNs >= 0 && !this.#connections.isRedirected(connection))
            server.roundTrips.add(roundTripNs / 1e6);
        const client = this.#connections.clientDirection(connection);
        server.clientStallMs += this.#stalledMs(connection, client);
        server.serverStallMs += this.#stalledMs(connection, 1 - client);
    }
    /** The servers with the most connections and requests first. */
    servers(application) {
        const all = new Map();
        for (const { server, connections, roundTrips, serverStallMs, clientStallMs } of this.#all) {
            // Connections to one server are in two places where some are redirected to a sidecar, and have no round trip there.
            const known = all.get((0,wording/* endpointText */.HO)(server));
            all.set((0,wording/* endpointText */.HO)(server), {
                ...{ server, ...noRequests, connections: connections + (known?.connections ?? 0) },
                roundTrip: summary(roundTrips.summary()) ?? known?.roundTrip,
                serverStallMs: serverStallMs + (known?.serverStallMs ?? 0),
                clientStallMs: clientStallMs + (known?.clientStallMs ?? 0),
            });
        }
        for (const http of application.http.servers.all()) {
            const failed = [...http.failures, ...http.grpcFailures].filter(([status]) => status < 100 || status >= 500);
            const failures = failed.reduce((sum, [, { count }]) => sum + count, 0) + http.unanswered.count;
            const { requestCount: requests, ends } = http;
            server_times_add(all, ends.server, { requests, failures, thinkTime: toSummary(http.firstByte.summary()) });
        }
        for (const dns of application.dns.servers.all()) {
            const failed = [...dns.failures].filter(([code]) => code !== 'NXDOMAIN');
            const failures = failed.reduce((sum, [, { count }]) => sum + count, 0) + dns.unanswered.count;
            const server = { address: dns.server, port: server_times_dnsPort };
            server_times_add(all, server, { requests: dns.queryCount, failures, thinkTime: toSummary(dns.time.summary()) });
        }
        return [...all.values()].toSorted((one, other) => other.requests + other.connections - (one.requests + one.connections));
    }
    #stalledMs(connection, direction) {
        const stall = this.#connections.tcp.evidence.stalls.get(connection * 2 + direction);
        if (stall === undefined)
            return 0;
        const lastTimeNs = this.#connections.table.doubles[connection * flowDoubles + layout_double.lastTime];
        const openNs = stall.openSinceNs < 0 ? 0 : Math.max(0, lastTimeNs - stall.openSinceNs);
        return (stall.stalledNs + openNs) / 1e6;
    }
    #server(connection) {
        if (this.#connections.isRedirected(connection)) {
            const name = (0,wording/* endpointText */.HO)(this.#connections.facts(connection).server);
            const known = this.#redirected.get(name) ?? this.#add(connection);
            if (known !== undefined)
                this.#redirected.set(name, known);
            return known;
        }
        const hash = this.#setKey(connection);
        const first = this.#servers.get(hash);
        for (let keyed = first; keyed !== undefined; keyed = keyed.next)
            if (isSameKey(keyed.key, this.#key))
                return keyed.server;
        const server = this.#add(connection);
        if (server !== undefined)
            this.#servers.set(hash, { key: this.#key.slice(), server, next: first });
        return server;
    }
    #add(connection) {
        if (this.#all.length >= server_times_maxServersCount) {
            this.overflowCount += 1;
            return undefined;
        }
        const server = {
            server: this.#connections.facts(connection).server,
            connections: 0,
            roundTrips: new Percentiles(server_times_maxSamplesCount),
            serverStallMs: 0,
            clientStallMs: 0,
        };
        this.#all.push(server);
        return server;
    }
    /** Returns the hash of the key. */
    #setKey(connection) {
        const { words } = this.#connections.table;
        const at = connection * flowWords;
        const isServerFirst = this.#connections.clientDirection(connection) === 1;
        const isLow = ((words[at + word.bits] & flowBit.firstIsLow) !== 0) === isServerFirst;
        const from = at + (isLow ? word.low : word.high);
        const ports = words[at + word.ports];
        const key = this.#key;
        for (let index = 0; index < 4; index += 1)
            key[index] = words[from + index];
        key[4] = isLow ? ports >>> 16 : ports & 0xffff;
        let hash = 0;
        for (let index = 0; index < 5; index += 1)
            hash = Math.imul(hash ^ key[index], 0x9e3779b1);
        return hash;
    }
}
function isSameKey(one, other) {
    for (let index = 0; index < one.length; index += 1)
        if (one[index] !== other[index])
            return false;
    return true;
}
const noRequests = { requests: 0, failures: 0, thinkTime: undefined };
const noConnections = { connections: 0, roundTrip: undefined, serverStallMs: 0, clientStallMs: 0 };
function server_times_add(all, server, requests) {
    const key = (0,wording/* endpointText */.HO)(server);
    all.set(key, { server, ...(all.get(key) ?? noConnections), ...requests });
}
function toSummary(times) {
    const { count, p50_ms = 0, p95_ms = 0, max_ms = 0 } = times;
    return count === 0 ? undefined : { count, p50_ms, p95_ms, max_ms };
}
function summary(times) {
    if (times === undefined)
        return undefined;
    const ms = (value) => Math.round(value * 1e3) / 1e3;
    return { count: times.count, p50_ms: ms(times.p50), p95_ms: ms(times.p95), max_ms: ms(times.max) };
}

;// CONCATENATED MODULE: ./src/analysis/findings/describe.ts

const descriptions = {
    'connection-no-answer': {
        severity: 'error',
        title: (connections, server, { syns, waited_s }) => `${connections} to ${server} got no answer (${syns} SYN in ${waited_s} s)`,
        filter: 'tcp.flags.syn == 1',
        likelyCauses: [
            'a NetworkPolicy or firewall drops the packets',
            'no route to the address',
            'the node of the server is down',
        ],
        nextSteps: ['List the NetworkPolicies of both namespaces', 'Capture on the server to see whether the SYN arrives'],
    },
    'connection-refused': {
        severity: 'error',
        title: (connections, server) => `${connections} to ${server} refused: nothing listens on the port`,
        filter: 'tcp.flags.reset == 1',
        likelyCauses: [
            'the process is not listening (starting, crashed)',
            'the port or targetPort is wrong',
            'a policy answers with a reset',
        ],
        nextSteps: [
            'Compare the port with containerPort and targetPort',
            'Look at the readiness and restarts of the server',
        ],
    },
    'connection-not-accepted': {
        severity: 'error',
        title: (connections, server, { syns }) => `${connections} to ${server} not accepted (${syns} SYN), while others were: its accept queue is full`,
        filter: 'tcp.flags.syn == 1',
        likelyCauses: [
            'the process accepts too slowly',
            'the listen backlog (somaxconn) is too small',
            'some packets are dropped',
        ],
        nextSteps: ['Look at ListenOverflows in nstat on the server', 'Look at the CPU throttling of the server'],
    },
    'connection-half-open': {
        severity: 'warning',
        title: (connections, server) => `${connections} to ${server} answered, but the client did not complete the handshake`,
        filter: 'tcp.flags.syn == 1',
        likelyCauses: ['the way back to the client drops packets', 'asymmetric routing', 'a port scan'],
        nextSteps: ['Capture on the client to see whether the SYN-ACK arrives'],
    },
    'connection-reset': {
        severity: 'error',
        title: (connections, server, { by }) => `${connections} with ${server} reset while open (${by})`,
        filter: 'tcp.flags.reset == 1',
        likelyCauses: [
            'the process closed it with data unread, or crashed',
            'the pod was terminated',
            'a proxy or load balancer ended it',
        ],
        nextSteps: ['Look at the logs of the side that sent the reset at that time'],
    },
    'connection-reset-after-idle': {
        severity: 'error',
        title: (connections, server, { by, idle_s }) => `${connections} with ${server} reset after ${idle_s} s without packets (${by})`,
        filter: 'tcp.flags.reset == 1',
        likelyCauses: [
            'a load balancer, NAT or conntrack forgot the idle connection',
            "the server's idle time-out is shorter than the client's",
        ],
        nextSteps: [
            'Set keep-alives below the idle time-out',
            'Compare the idle time with the time-outs on the way (60, 300, 350, 3600 s)',
        ],
    },
    'peer-vanished': {
        severity: 'error',
        title: (connections, server, { sent }) => `${connections} with ${server} got no acknowledgment: the same data was sent ${sent} times`,
        filter: 'tcp.analysis.retransmission',
        likelyCauses: [
            'the other side or its node is gone',
            'an MTU on the path is smaller than the interface tells, if the data fills whole segments',
            'a policy now drops the packets of the open connection',
            'loss on the path',
        ],
        nextSteps: ['Look whether the pod of the other side was deleted at that time'],
    },
    'receiver-stalled': {
        severity: 'warning',
        title: (connections, server, { who, stalled_s }) => `${connections} with ${server} stalled for ${stalled_s} s: the ${who} does not read its data`,
        filter: 'tcp.analysis.zero_window || tcp.analysis.window_full',
        likelyCauses: [
            'the receiving process is busy or blocked',
            'its CPU is throttled',
            'its receive buffer is too small',
        ],
        nextSteps: ['Look at the CPU throttling and the threads of the receiver; the network is not the cause'],
    },
    'path-mtu-black-hole': {
        severity: 'error',
        title: (connections, server, { bytes }) => `${connections} with ${server}: segments of ${bytes} bytes do not arrive, smaller ones do`,
        filter: 'tcp.analysis.retransmission',
        likelyCauses: [
            'an MTU on the path is smaller than the interface tells (overlay, VPN)',
            'ICMP "fragmentation needed" is filtered',
        ],
        nextSteps: ['Compare the MTU of pod, node and tunnel; allow ICMP type 3 code 4 (ICMPv6 type 2)'],
    },
};
function describeGroup({ id, server, backends, count, evidence, facts }) {
    const { severity, title, filter, likelyCauses, nextSteps } = descriptions[id];
    return {
        id,
        severity,
        title: title((0,wording/* counted */.hS)(count, 'connection'), (0,wording/* serverText */.Tn)((0,wording/* endpointText */.HO)(server), backends), facts),
        count,
        evidence,
        displayFilter: `${(0,wording/* serverFilter */.yQ)(server)} && (${filter})`,
        likelyCauses,
        nextSteps,
        facts,
    };
}
const warnShare = 0.01;
const errorShare = 0.05;
const minSegmentsCount = 3;
const minSegmentsForErrorCount = 10;
/** Data that was sent more than once, in the whole capture. Undefined: too little to report. */
function describeResent(worst, resent, dataSegments) {
    return describeSegments(worst, resent, dataSegments, {
        id: 'data-resent',
        text: 'were sent more than once',
        filter: 'tcp.analysis.retransmission || tcp.analysis.out_of_order',
        likelyCauses: [
            'packets are lost on the path',
            'a queue overflows (bandwidth limit, busy node)',
            'the acknowledgments are lost',
        ],
        nextSteps: [
            'Capture at the other end: what was lost between both is missing there',
            'Look at the drops of the interfaces on both nodes',
        ],
    });
}
/** Data that came after later data: lost or reordered before it was captured. Undefined: too little to report. */
function describeLate(worst, late, dataSegments) {
    return describeSegments(worst, late, dataSegments, {
        id: 'data-late',
        text: 'came late: they were lost or reordered before this point',
        filter: 'tcp.analysis.retransmission || tcp.analysis.out_of_order',
        likelyCauses: ['packets are lost between the sender and this point', 'two paths with different delays'],
        nextSteps: [
            'Capture at the sender: what was lost is sent twice there',
            'Look at the drops of the interfaces on both nodes',
        ],
    });
}
function describeSegments(worst, count, dataSegments, { id, text, filter, likelyCauses, nextSteps }) {
    const share = dataSegments === 0 ? 0 : count / dataSegments;
    const first = worst[0];
    if (first === undefined || count < minSegmentsCount || share < warnShare)
        return undefined;
    const percent = Math.round(share * 1e3) / 10;
    return {
        id,
        severity: share >= errorShare && count >= minSegmentsForErrorCount ? 'error' : 'warning',
        title: `${count} of ${dataSegments} data segments (${percent} %) ${text}`,
        count,
        evidence: worst.map(({ evidence }) => evidence),
        displayFilter: `${(0,wording/* connectionFilter */.f6)(first.evidence)} && (${filter})`,
        likelyCauses,
        nextSteps,
        facts: { [id === 'data-resent' ? 'resent' : 'late']: count, data_segments: dataSegments, share_percent: percent },
    };
}

;// CONCATENATED MODULE: ./src/analysis/findings/finding-groups.ts



/** Servers with findings, by kind of finding. */
const finding_groups_maxGroupsCount = 500;
/** Connections that show the same, by server. Bounded. */
class FindingGroups {
    #groups = new Map();
    /** connections that were not kept, because too many servers show something */
    dropped = 0;
    add({ id, server, backend, facts, evidence }) {
        const group = this.#get(id, server);
        if (group === undefined)
            return;
        group.count += 1;
        addBackend(group.backends, backend);
        if (group.evidence.length < maxEvidenceCount)
            group.evidence.push(evidence());
        addFacts(group, facts);
    }
    all() {
        return [...this.#groups.values()];
    }
    /** Adds the connections of other groups. */
    addAll(others) {
        for (const other of others.all()) {
            const group = this.#get(other.id, other.server);
            if (group === undefined)
                continue;
            group.count += other.count;
            for (const backend of other.backends)
                group.backends.add(backend);
            group.evidence.push(...other.evidence.slice(0, maxEvidenceCount - group.evidence.length));
            addFacts(group, other.facts);
        }
    }
    #get(id, server) {
        const key = `${id} ${(0,wording/* endpointText */.HO)(server)}`;
        let group = this.#groups.get(key);
        if (group !== undefined)
            return group;
        if (this.#groups.size >= finding_groups_maxGroupsCount) {
            this.dropped += 1;
            return undefined;
        }
        group = { id, server, count: 0, evidence: [], backends: new Set(), facts: {} };
        this.#groups.set(key, group);
        return group;
    }
}
/** Of numbers the largest is kept, of texts the first. */
function addFacts(group, facts) {
    for (const [name, value] of Object.entries(facts)) {
        const known = group.facts[name];
        group.facts[name] =
            typeof value === 'number' && typeof known === 'number' ? Math.max(value, known) : (known ?? value);
    }
}

;// CONCATENATED MODULE: ./src/analysis/findings/worst-connections.ts

/** The connections with the most of something. */
class WorstConnections {
    #worst = [];
    /** The evidence is made only where the connection is kept. */
    add(count, evidence) {
        const worst = this.#worst;
        if (count === 0 || (worst.length === maxEvidenceCount && worst.at(-1).count >= count))
            return;
        worst.push({ evidence: evidence(), count });
        this.#worst = worst.toSorted((one, other) => other.count - one.count).slice(0, maxEvidenceCount);
    }
    all() {
        return this.#worst;
    }
}

;// CONCATENATED MODULE: ./src/analysis/findings/connection-findings.ts






/** Without an answer for this long, an attempt has failed even if its SYN was sent once. */
const answerNs = 3e9;
const stallNs = 200e6;
/**
 * Findings of single TCP connections, found when a connection ends: not answered, refused, not accepted, half open, reset, resent data, stalled,
 * path MTU. A healthy connection costs a look at its bits.
 */
class ConnectionFindings {
    #connections;
    #baseMs;
    #groups = new FindingGroups();
    /** connections whose answer is missing, without a repetition that proves it: they count where the capture holds both directions */
    #unproven = new FindingGroups();
    /** connections of which the other direction was not captured, though it must have been there */
    #oneSided = new FindingGroups();
    #worstResent = new WorstConnections();
    #worstLate = new WorstConnections();
    /** connections and UDP flows with packets in both directions, and in one */
    twoWay = 0;
    oneWay = 0;
    /** `baseMs`: ms since the epoch that the packets' times count from. */
    constructor(connections, baseMs) {
        this.#connections = connections;
        this.#baseMs = baseMs;
    }
    onConnectionEnd(connection) {
        const { words } = this.#connections.table;
        const at = connection * flowWords;
        this.#countDirections(connection);
        if ((words[at + word.protocol] & 0xff) !== ipProtocol.tcp)
            return;
        const bits = words[at + word.bits];
        if ((bits & flowBit.hasSyn) !== 0 && (bits & flowBit.established) === 0)
            this.#judgeAttempt(connection, bits);
        this.#judgeReset(connection);
        for (let direction = 0; direction < 2; direction += 1) {
            this.#judgeStall(connection, direction);
            this.#judgeRepeat(connection, direction);
        }
        this.#noteSentAgain(connection);
    }
    /** connections with findings that were not kept */
    get dropped() {
        return this.#groups.dropped + this.#unproven.dropped + this.#oneSided.dropped;
    }
    /** All findings, the worst first. The capture must have ended. */
    findings() {
        const groups = new FindingGroups();
        groups.addAll(this.#groups);
        if (this.#unprovenReason() === undefined)
            groups.addAll(this.#unproven);
        const found = this.#separateNotAccepted(groups.all()).map(describeGroup);
        const { resent, late, dataSegments } = this.#connections.tcp.resentData;
        const sentAgain = [
            describeResent(this.#worstResent.all(), resent, dataSegments),
            describeLate(this.#worstLate.all(), late, dataSegments),
        ];
        found.push(...sentAgain.filter((finding) => finding !== undefined));
        const rank = { error: 0, warning: 1, notice: 2 };
        return found.toSorted((one, other) => rank[one.severity] - rank[other.severity] || other.count - one.count);
    }
    /** What this capture cannot carry. The capture must have ended. */
    withheld() {
        const reason = this.#unprovenReason();
        return [
            ...this.#oneSided.all().map((group) => withheldGroup(group, 'one-direction')),
            ...(reason === undefined ? [] : this.#unproven.all().map((group) => withheldGroup(group, reason))),
        ];
    }
    /** No segment but those that open connections: the filter of the capture left out the others. */
    get hasOnlyHandshakes() {
        const { segments, syn, synack } = this.#connections.tcp.totals;
        return segments > 0 && segments === syn + synack;
    }
    #unprovenReason() {
        if (this.twoWay === 0)
            return 'one-direction';
        return this.hasOnlyHandshakes ? 'handshakes-only' : undefined;
    }
    #countDirections(connection) {
        const directions = this.#connections.seenDirections(connection);
        if (directions === 3)
            this.twoWay += 1;
        else if (directions !== 0)
            this.oneWay += 1;
    }
    #judgeAttempt(connection, bits) {
        const { words, doubles } = this.#connections.table;
        const syns = words[connection * flowWords + word.syns];
        const waitedNs = this.#connections.nowNs - doubles[connection * flowDoubles + layout_double.firstTime];
        const waited_s = Math.round(waitedNs / 1e6) / 1e3;
        if ((bits & flowBit.refused) !== 0)
            this.#add('connection-refused', connection, {});
        else if ((bits & flowBit.hasSynAck) !== 0) {
            const sinceNs = this.#connections.nowNs - doubles[connection * flowDoubles + layout_double.synAckTime];
            const isProven = (bits & flowBit.synAckRepeated) !== 0;
            if ((bits & flowBit.hasRst) === 0 && (isProven || sinceNs >= answerNs))
                this.#add('connection-half-open', connection, { waited_s }, { groups: isProven ? this.#groups : this.#unproven });
        }
        else if ((bits & (flowBit.icmpError | flowBit.serverAnswered | flowBit.hasRst)) === 0 &&
            (syns > 1 || waitedNs >= answerNs)) {
            // A client that sent more than its SYN has got an answer. A SYN that is repeated has none, also where only one direction was captured.
            const packets = words[connection * flowWords +
                word.directions +
                directionWord.packets +
                this.#connections.clientDirection(connection) * directionWords];
            const groups = packets > syns ? this.#oneSided : syns > 1 ? this.#groups : this.#unproven;
            this.#add('connection-no-answer', connection, { syns, waited_s }, { groups });
        }
    }
    #judgeReset(connection) {
        const reset = this.#connections.tcp.evidence.resets.get(connection);
        if (reset === undefined)
            return;
        const facts = { by: reset.resetClass.replace(/[:_]/g, ' '), idle_s: Math.round(reset.idleNs / 1e6) / 1e3 };
        const id = reset.idleNs > 0 ? 'connection-reset-after-idle' : 'connection-reset';
        // A FIN of the other side makes a reset harmless: it is not known where that side was not captured.
        const groups = this.#connections.seenDirections(connection) === 3 ? this.#groups : this.#oneSided;
        this.#add(id, connection, facts, { groups, frames: [reset.frame] });
    }
    #judgeStall(connection, direction) {
        const stall = this.#connections.tcp.evidence.stalls.get(connection * 2 + direction);
        if (stall === undefined)
            return;
        const openNs = stall.openSinceNs < 0 ? 0 : this.#connections.facts(connection).lastTimeNs - stall.openSinceNs;
        const stalledNs = stall.stalledNs + Math.max(0, openNs);
        if (stalledNs < stallNs)
            return;
        const who = direction === this.#connections.clientDirection(connection) ? 'client' : 'server';
        this.#add('receiver-stalled', connection, { who, stalled_s: Math.round(stalledNs / 1e6) / 1e3, stalls: stall.stalls }, { frames: [stall.firstFrame] });
    }
    /** The same data three times or more without an answer: the peer has vanished, or the segment is too large for the path. */
    #judgeRepeat(connection, direction) {
        const { table, tcp } = this.#connections;
        const repeat = tcp.evidence.repeats.get(connection * 2 + direction);
        if (repeat === undefined || repeat.count < 2 || repeat.lastTimeNs - repeat.firstTimeNs < 1e9)
            return;
        const block = connection * flowWords + word.directions;
        const acknowledged = table.words[block + (1 - direction) * directionWords + directionWord.lastAck];
        if (((acknowledged - repeat.sequence) | 0) > 0)
            return;
        const largest = table.words[block + direction * directionWords + directionWord.largestPayload];
        const sacked = tcp.evidence.sacked.get(connection * 2 + direction);
        const isTailReceived = sacked !== undefined && ((sacked.end - repeat.sequence) | 0) > repeat.bytes;
        const hasIcmpError = (table.words[connection * flowWords + word.bits] & flowBit.icmpError) !== 0;
        // At the sender's interface the largest may be several segments that its network card would part (GSO): no segment on the path has that size.
        const isLarge = repeat.bytes >= largest || (sacked !== undefined && sacked.smallestBytes < repeat.bytes);
        const isTooLarge = repeat.dontFragment && isTailReceived && isLarge && !hasIcmpError;
        const facts = { bytes: repeat.bytes, sent: repeat.count + 1 };
        const groups = this.#connections.seenDirections(connection) === 3 ? this.#groups : this.#oneSided;
        const id = isTooLarge ? 'path-mtu-black-hole' : 'peer-vanished';
        this.#add(id, connection, facts, { groups, frames: repeat.frames });
    }
    #noteSentAgain(connection) {
        const { words } = this.#connections.table;
        const at = connection * flowWords + word.directions + directionWord.resentSegments;
        const evidence = () => this.#evidence(connection);
        this.#worstResent.add(words[at] + words[at + directionWords], evidence);
        this.#worstLate.add(this.#connections.tcp.resentData.lateSegments(connection), evidence);
    }
    #add(id, connection, facts, { groups = this.#groups, frames } = {}) {
        const { server, backend } = this.#connections.facts(connection);
        groups.add({ id, server, backend, facts, evidence: () => this.#evidence(connection, frames) });
    }
    #evidence(connection, frames) {
        const { client, server, backend, firstFrame, firstTimeNs, lastTimeNs } = this.#connections.facts(connection);
        const lastFrame = this.#connections.table.words[connection * flowWords + word.lastFrame];
        const toMs = (timeNs) => this.#baseMs() + Math.round(timeNs / 1e3) / 1e3;
        return {
            client,
            server,
            backend,
            frames: frames ?? [...new Set([firstFrame, lastFrame])],
            firstMs: toMs(firstTimeNs),
            lastMs: toMs(lastTimeNs),
        };
    }
    /** No answer from a server that others reached: it listens, but does not accept. Of others, whether their address answers at all. */
    #separateNotAccepted(groups) {
        if (!groups.some(({ id }) => id === 'connection-no-answer'))
            return [...groups];
        const { servers, addresses } = this.#answering();
        return groups.map((group) => {
            if (group.id !== 'connection-no-answer')
                return group;
            if (servers.has((0,wording/* endpointText */.HO)(group.server)))
                return { ...group, id: 'connection-not-accepted' };
            const address_answers = addresses.has(group.server.address) ? 'yes' : 'no';
            return { ...group, facts: { ...group.facts, address_answers } };
        });
    }
    /** Servers to which a connection was opened, and addresses that sent anything. */
    #answering() {
        const servers = new Set();
        const addresses = new Set();
        const { table } = this.#connections;
        for (let flow = 0; flow < table.count; flow += 1) {
            if (this.#connections.seenDirections(flow) !== 3)
                continue;
            const { server } = this.#connections.facts(flow);
            addresses.add(server.address);
            if ((table.words[flow * flowWords + word.bits] & flowBit.established) !== 0)
                servers.add((0,wording/* endpointText */.HO)(server));
        }
        return { servers, addresses };
    }
}
const withheldTexts = {
    'one-direction': 'only one direction was captured',
    'handshakes-only': 'only the packets that open connections were captured',
};
function withheldGroup({ id, server, count }, reason) {
    const what = { 'connection-no-answer': 'no answer', 'connection-half-open': 'a handshake without an end' };
    const shown = Object.entries(what).find(([known]) => known === id)?.[1] ?? 'an end that looks like a failure';
    const text = `${(0,wording/* counted */.hS)(count, 'connection')} with ${(0,wording/* endpointText */.HO)(server)} ${count === 1 ? 'shows' : 'show'} ${shown}, but ${withheldTexts[reason] ?? reason}`;
    return { id, count, reason, text };
}

;// CONCATENATED MODULE: ./src/analysis/sides/local-side-tracker.ts



/** No pod talks to so many that more is needed to tell its own address; of more, nothing is derived from what they have in common. */
const maxAddressesCount = 4_096;
/** The hop limits (TTL) that systems start with: Linux, Windows, network devices. */
const fullHopLimits = new Set([64, 128, 255]);
/** Packet types and the hardware type of LINUX_SLL and LINUX_SLL2 */
const toUs = 0;
const local_side_tracker_sentByUs = 4;
const loopbackHardware = 772;
const hardwareTypeOffsets = new Map([
    [113, 2],
    [276, 8],
]);
/** Of a connection, by direction: it was seen, and its first packet had not passed a router. */
const seenBits = [1, 2];
const fullBits = [4, 8];
/**
 * Finds out which addresses are those of the captured host, where that is not known, by the first packet of each direction of a connection.
 * A node forwards packets and sees those of tunnels: its own addresses are no end of most connections, and nothing is derived.
 */
class LocalSideTracker {
    #connections;
    #addresses = new Map();
    #conversations = { ipv4: 0, ipv6: 0 };
    #hasTunnels = false;
    #hasOverflow = false;
    constructor(maxConnectionsCount) {
        this.#connections = new Uint8Array(maxConnectionsCount);
    }
    onPacket(packet) {
        const { connection } = packet;
        const direction = packet.direction === 0 ? 0 : 1;
        if (connection < 0)
            return;
        const bits = this.#connections[connection];
        if ((bits & seenBits[direction]) !== 0)
            return;
        const isFull = fullHopLimits.has(packet.ttl);
        this.#connections[connection] = bits | seenBits[direction] | (isFull ? fullBits[direction] : 0);
        if (packet.tunnelDepth > 0 || packet.carriesTunnel) {
            this.#hasTunnels = true;
            return;
        }
        const source = this.#facts(packet, packet.sourceOffset);
        const destination = this.#facts(packet, packet.destinationOffset);
        if (source === undefined || destination === undefined)
            return;
        noteTypes(packet, source, destination);
        if (isFull)
            source.isFull = true;
        else
            source.isHopped = true;
        if (bits === 0)
            this.#noteConversation(source, destination);
        else
            noteDistance({ source, destination }, isFull, (bits & fullBits[direction === 0 ? 1 : 0]) !== 0);
    }
    onConnectionEvicted(connection) {
        this.#connections[connection] = 0;
    }
    /** To be called after the last packet. */
    side() {
        const all = [...this.#addresses.values()].filter(({ isLoopback }) => !isLoopback);
        const isOneHost = !this.#hasTunnels && !this.#hasOverflow && !all.some(({ isSentOut, isSentIn }) => isSentOut && isSentIn);
        const one = isOneHost ? all : [];
        const ways = [
            ['packet-types', one.filter((facts) => (facts.isSentOut || facts.isReceivedIn) && !facts.isSentIn)],
            ['loopback', all.filter(({ hasLoopbackPeer }) => hasLoopbackPeer)],
            ['hop-limits', singles(one.filter(({ isNear, isFar, isHopped }) => isNear && !isFar && !isHopped))],
            ['common-address', singles(one.filter((facts) => this.#isInAll(facts) && facts.isFull && !facts.isHopped))],
        ];
        const [source, facts] = ways.find(([, found]) => found.length > 0) ?? ['unknown', []];
        return new LocalSide(source, facts.map(({ text }) => text));
    }
    /** Of several others, it is an end of all connections. */
    #isInAll({ conversations, hasSeveralPeers, isIpv6 }) {
        return hasSeveralPeers && conversations === this.#conversations[isIpv6 ? 'ipv6' : 'ipv4'];
    }
    #noteConversation(source, destination) {
        if (source === destination || source.isLoopback || destination.isLoopback) {
            if (!source.isLoopback)
                source.hasLoopbackPeer ||= destination.isLoopback;
            if (!destination.isLoopback)
                destination.hasLoopbackPeer ||= source.isLoopback;
            return;
        }
        if (isMulticast(destination))
            return;
        this.#conversations[source.isIpv6 ? 'ipv6' : 'ipv4'] += 1;
        notePeer(source, destination);
        notePeer(destination, source);
    }
    /** Undefined: there are too many. */
    #facts({ buffer, addressLength }, at) {
        const isIpv6 = addressLength === 16;
        const key = isIpv6 ? addressText(buffer, at, addressLength) : i32(buffer, at);
        const known = this.#addresses.get(key);
        if (known !== undefined)
            return known;
        if (this.#addresses.size >= maxAddressesCount) {
            this.#hasOverflow = true;
            return undefined;
        }
        const text = typeof key === 'string' ? key : addressText(buffer, at, addressLength);
        const facts = {
            ...{ text, isIpv6, isLoopback: isLoopbackAddress(text) },
            ...{
                isSentOut: false,
                isSentIn: false,
                isReceivedIn: false,
                isFull: false,
                isHopped: false,
                isNear: false,
                isFar: false,
            },
            ...{ hasLoopbackPeer: false, firstPeer: undefined, hasSeveralPeers: false, conversations: 0 },
        };
        this.#addresses.set(key, facts);
        return facts;
    }
}
function noteTypes(packet, source, destination) {
    const { buffer, frameOffset, linkType, packetType } = packet;
    const at = hardwareTypeOffsets.get(linkType);
    // On the loopback interface, all packets arrive, and the kernel's NAT has changed their addresses already.
    if (at === undefined || u16(buffer, frameOffset + at) === loopbackHardware)
        return;
    if (packetType === local_side_tracker_sentByUs)
        source.isSentOut = true;
    else
        source.isSentIn = true;
    if (packetType === toUs && !isMulticast(destination))
        destination.isReceivedIn = true;
}
/** Both ends of a connection have sent: the one whose packets passed no router is near. */
function noteDistance({ source, destination }, isSourceFull, isDestinationFull) {
    if (isSourceFull === isDestinationFull)
        return;
    const [near, far] = isSourceFull ? [source, destination] : [destination, source];
    near.isNear = true;
    far.isFar = true;
}
function notePeer(one, other) {
    one.conversations += 1;
    one.firstPeer ??= other;
    if (one.firstPeer !== other)
        one.hasSeveralPeers = true;
}
function isMulticast({ text, isIpv6 }) {
    return isIpv6 ? text.startsWith('ff') : Number.parseInt(text, 10) >= 224;
}
/** One address of each family: with more, the capture shows several hosts. */
function singles(all) {
    return [true, false].flatMap((isIpv6) => {
        const ofFamily = all.filter((facts) => facts.isIpv6 === isIpv6);
        return ofFamily.length === 1 ? ofFamily : [];
    });
}

;// CONCATENATED MODULE: ./src/analysis/capture-diagnosis.ts








/** Analyses one capture with all trackers: a consumer of `CaptureReader`. Memory is bounded, nothing throws. */
class CaptureDiagnosis {
    #trackers;
    #isEnded = false;
    constructor(options = {}) {
        const trackers = {};
        const baseMs = () => analysis.decoder.baseSeconds * 1_000;
        const analysis = new Analysis(options, (connections) => {
            const findings = new ConnectionFindings(connections, baseMs);
            const application = new ApplicationTracker(connections);
            const times = new ServerTimesTracker(connections);
            const details = new DetailsTracker(connections);
            const sides = new LocalSideTracker(connections.table.maxFlowsCount);
            Object.assign(trackers, { findings, application, times, details, sides });
            return [findings, application, times, details, sides];
        });
        this.#trackers = { ...trackers, analysis };
    }
    onPacket(packet) {
        this.#trackers.analysis.onPacket(packet);
    }
    /** `end`: how the reading of the capture ended. No packet may follow. */
    diagnose(end, options = {}) {
        this.#end();
        return diagnose(this.#trackers, end, options);
    }
    /** The counters that equal those of tshark. */
    counters(end) {
        this.#end();
        const { analysis, application } = this.#trackers;
        return { ...counters(analysis, end), ...application.counters() };
    }
    #end() {
        if (this.#isEnded)
            return;
        this.#isEnded = true;
        this.#trackers.analysis.end();
        this.#trackers.application.finish();
    }
}


/***/ })

};
