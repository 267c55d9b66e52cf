/** What tabs and the shared worker say to each other. Both come from one build of the SDK: see `workerName`. */
import type { StringMap } from '../../protocol/index.js';
import type { GroupPosition } from '../calls.js';
import type { ClientState } from '../client-state.js';
import type { ClientEventOf } from '../events.js';
import type { PushOrigin } from '../message.js';
import type { DeviceIdentity } from '../storage.js';
import type { PlainError } from './error-codec.js';
import type { SharedSettings } from './shared-settings.js';

/** One answerer of requests to this device: of one method, or of every other. */
export interface Served {
  readonly business: string;
  readonly method: string | undefined;
}

/** A tab's first word. */
export interface HelloNotice {
  readonly kind: 'hello';
  /** Name of the lock that the tab holds while it lives; undefined where the platform has no locks. */
  readonly lock: string | undefined;
  readonly settings: SharedSettings;
}

export type TabNotice =
  | HelloNotice
  | { readonly kind: 'bye' }
  | { readonly kind: 'reconnect' }
  /** The tab became visible: the network may be back. */
  | { readonly kind: 'hint' }
  | { readonly kind: 'listen'; readonly business: string; readonly on: boolean }
  | { readonly kind: 'serve'; readonly served: Served; readonly on: boolean };

export interface RequestQuestion {
  readonly kind: 'request';
  readonly business: string;
  readonly method: string;
  readonly payload: Uint8Array;
  readonly metadata: StringMap | undefined;
  readonly deadlineMs: number | undefined;
}

export type TabQuestion =
  /** Answered at the login. */
  | { readonly kind: 'connect' }
  /** Answered `AnswerContent`. */
  | RequestQuestion
  /** Answered `GroupPosition`. */
  | { readonly kind: 'join'; readonly business: string; readonly group: string }
  | { readonly kind: 'leave'; readonly business: string; readonly group: string };

/** Of a request, in either direction. */
export interface AnswerContent {
  readonly status: number;
  readonly metadata: StringMap;
  readonly payload: Uint8Array;
}

/** A client event whose error, if it has one, is plain. */
export type PlainEvent = { readonly type: string; readonly error?: PlainError };

export type WorkerNotice =
  /** The worker's first word. @param lock held while the worker lives */
  | { readonly kind: 'welcome'; readonly lock: string | undefined }
  /** Instead of the welcome: no client can be made with these settings. */
  | { readonly kind: 'refused'; readonly error: PlainError }
  /** Where the connection stands as this tab's `connect` arrives. */
  | {
      readonly kind: 'snapshot';
      readonly state: ClientState;
      readonly deviceId: string | undefined;
      /** The event of the login, while online. */
      readonly online: ClientEventOf<'online'> | undefined;
    }
  | {
      readonly kind: 'event';
      readonly event: PlainEvent;
      readonly deviceId: string | undefined;
      /** Of the group that the event concerns, where this tab is in it. */
      readonly position: GroupPosition | undefined;
    }
  | {
      readonly kind: 'push';
      readonly business: string;
      readonly messageId: string;
      readonly metadata: StringMap;
      readonly payload: Uint8Array;
      readonly origin: PushOrigin | undefined;
      readonly position: GroupPosition | undefined;
    };

export interface ServeQuestion {
  readonly kind: 'serve';
  readonly served: Served;
  readonly method: string;
  readonly metadata: StringMap;
  readonly payload: Uint8Array;
  readonly deadlineMs: number;
}

export type WorkerQuestion =
  | { readonly kind: 'credentials' }
  | { readonly kind: 'assertion' }
  | { readonly kind: 'identity' }
  | { readonly kind: 'keep-identity'; readonly identity: DeviceIdentity | undefined }
  /** Answered `AnswerContent`. */
  | ServeQuestion;

export interface TabOutbox {
  readonly question: TabQuestion;
  readonly notice: TabNotice;
}

export interface WorkerOutbox {
  readonly question: WorkerQuestion;
  readonly notice: WorkerNotice;
}
