/**
 * The bounds of wire protocol version 1. Those marked "agreed" are told to the client in CONNACK and may be
 * lowered by configuration; the others are part of the protocol.
 *
 * @see docs/protocol.md, "Limits"
 */

/** Bytes of the frame header: length u24, type u8. */
export const HEADER_BYTES = 4;

/** The largest length a u24 declares. */
export const MAX_DECLARABLE_BYTES = 0xff_ff_ff;

/** The body of a stranger's frame, before CONNACK. */
export const MAX_HANDSHAKE_FRAME_BYTES = 8 * 1024;

/** Everything a stranger sends before CONNACK: CONNECT and the frames right behind it, headers included. */
export const MAX_HANDSHAKE_BYTES = 64 * 1024;

/** Agreed: the body of a frame after login. */
export const DEFAULT_MAX_FRAME_BYTES = 1024 * 1024;

/** Agreed: requests of one connection that wait for their RESPONSE. */
export const DEFAULT_MAX_IN_FLIGHT = 64;

/** Agreed: groups one connection is a member of. */
export const DEFAULT_MAX_GROUPS = 100;

/** Pairs in one map. */
export const MAX_MAP_ENTRIES = 64;

/** UTF-8 bytes of a key in a map. */
export const MAX_MAP_KEY_BYTES = 128;

/** UTF-8 bytes of a value in a map. */
export const MAX_MAP_VALUE_BYTES = 4096;

/** UTF-8 bytes of a token. */
export const MAX_TOKEN_BYTES = 4096;

/** UTF-8 bytes of an id or a name: device, session, message, group, method, business. A device id is at most 64. */
export const MAX_NAME_BYTES = 128;

/** UTF-8 bytes of a device id; never empty. */
export const MAX_DEVICE_ID_BYTES = 64;

/** UTF-8 bytes of the access point in a GOAWAY. */
export const MAX_ACCESS_POINT_BYTES = 256;

/** Bytes of a resume secret. */
export const MAX_RESUME_SECRET_BYTES = 64;

/** UTF-8 bytes of a CLOSE reason; what fits a WebSocket close frame. */
export const MAX_REASON_BYTES = 123;

/** Businesses named in one frame (CONNECT's resume, CONNACK's grants). */
export const MAX_BUSINESSES = 64;
