/**
 * The access workers of a node and what they share: ports, certificates, the tables in which they count links and
 * overload. A node without the role `access` has none of them and listens to no device.
 */
import { availableParallelism } from 'node:os';
import type { ActorRef, ParentRef } from '../actors/index.js';
import type { NodeConfig } from '../config/index.js';
import { loadQuiche } from '../transports/index.js';
import { actorPath } from './actor-system.js';
import { type AdmissionLimits, NodeAdmission } from './admission.js';
import { Certificates } from './certificates.js';
import type { ConfigDistribution } from './config-distribution.js';
import { connectionLimit } from './connection-limit.js';
import type { Credentials } from './credentials.js';
import { canReusePort } from './listen-addresses.js';
import type { Logger } from './logger.js';
import { NodeOverload } from './overload.js';
import type { ListenAt, WorkerSettings } from './worker-settings.js';
import { WorkerSupervisor } from './worker-supervisor.js';

export interface AccessWorkersOptions {
  readonly parent: ParentRef;
  readonly router: ActorRef;
  readonly incarnation: string;
  /** In force at the start. */
  readonly config: NodeConfig;
  readonly distribution: ConfigDistribution;
  readonly credentials: Credentials;
  readonly log: Logger;
  /** A run begins: logins of it may come from now on. */
  readonly onRun: (worker: number, generation: number) => void;
  /** A run has ended. */
  readonly onEnd: (worker: number) => void;
  /** A worker serves, or serves no more. */
  readonly onChange: () => void;
}

/** What a worker is told at each of its starts is added then. */
type UnstartedSettings = Omit<WorkerSettings, 'generation' | 'jwks' | 'revocations' | 'secure'>;

const DOWN = -1;

export class AccessWorkers {
  readonly #options: AccessWorkersOptions;
  readonly #supervisors: WorkerSupervisor[] = [];
  #overload: NodeOverload | undefined;
  #admission: NodeAdmission | undefined;
  #certificates: Certificates | undefined;
  #connectionLimit = 0;

  constructor(options: AccessWorkersOptions) {
    this.#options = options;
  }

  /**
   * @param listeners none for a node that holds no connections
   * @throws {QuicUnavailableError}; {InvalidCertificateError}; {SecretExposedError}; what the first start of a worker throws
   */
  async start(listeners: readonly ListenAt[]): Promise<void> {
    const { config, incarnation, log } = this.#options;
    const wanted = config.node.workers === 0 ? availableParallelism() : config.node.workers;
    const reusePort = await canReusePort(listeners[0]?.host ?? '127.0.0.1');
    if (!reusePort) log.warn('ports cannot be shared on this platform: one access worker only');
    const stream = listeners.filter(({ protocol }) => protocol !== 'quic');
    const quic = listeners.filter(({ protocol }) => protocol === 'quic');
    const streamWorkers = stream.length === 0 ? 0 : reusePort ? wanted : 1;
    // Here, where its words reach who started the node.
    if (quic.length > 0) await loadQuiche();
    const quicWorkers = quic.length === 0 ? 0 : reusePort ? (config.access.quic?.workers ?? 0) : 1;
    const workers = streamWorkers + quicWorkers;
    const connections = connectionLimit(config);
    this.#connectionLimit = connections;
    if (connections < config.limits.connections) log.info('open files limit the connections', { connections });
    this.#admission = new NodeAdmission(workers, admissionLimits(config));
    const admission = this.#admission.shared;
    this.#overload = new NodeOverload(workers, config.overload, log);
    this.#overload.start();
    const overload = this.#overload.shared;
    const certificates = await Certificates.open({ access: config.access, log });
    this.#certificates = certificates;
    certificates.start();
    for (let index = 0; index < workers; index++) {
      // QUIC has threads of its own, the last ones: what goes wrong there leaves the others alone.
      const own = index < streamWorkers ? stream : quic;
      const settings = {
        index,
        workers,
        quicWorkers,
        incarnation,
        config,
        listeners: own,
        reusePort,
        overload,
        admission,
      };
      this.#supervisors.push(this.#createSupervisor(certificates, settings));
    }
    await Promise.all(this.#supervisors.map((supervisor) => supervisor.start()));
  }

  get supervisors(): readonly WorkerSupervisor[] {
    return this.#supervisors;
  }

  /** Those that are up. */
  get refs(): ActorRef[] {
    return this.#supervisors.map((supervisor) => supervisor.ref).filter((ref) => ref !== undefined);
  }

  /** By worker; -1 for one that does not serve. */
  get generations(): number[] {
    return this.#supervisors.map(({ isUp, generation }) => (isUp ? generation : DOWN));
  }

  /** Authenticated connections. */
  get connections(): number {
    return this.#admission?.logins ?? 0;
  }

  /** How many there may be. */
  get connectionLimit(): number {
    return this.#connectionLimit;
  }

  /** 0 idle to 1 and above overloaded. */
  get load(): number {
    return this.#overload?.load() ?? 0;
  }

  get overload(): ReturnType<NodeOverload['state']> {
    return this.#overload?.state() ?? { level: 0, reason: '' };
  }

  /** Empty when all of them serve and none is overloaded. */
  notReadyReason(): string {
    const down = this.#supervisors.filter(({ isUp }) => !isUp).length;
    if (down > 0) return `${down} of ${this.#supervisors.length} access workers are down`;
    return this.overload.reason;
  }

  async reconfigure(config: NodeConfig): Promise<void> {
    this.#connectionLimit = connectionLimit(config);
    this.#overload?.reconfigure(config.overload);
    this.#admission?.reconfigure(admissionLimits(config));
    await this.#certificates?.renew();
  }

  /** Ends the threads. */
  async stop(): Promise<void> {
    await Promise.all(this.#supervisors.map((supervisor) => supervisor.stop()));
  }

  /** Ends what watches and renews. */
  release(): void {
    this.#overload?.stop();
    this.#certificates?.stop();
  }

  #createSupervisor(certificates: Certificates, settings: UnstartedSettings): WorkerSupervisor {
    const { parent, router, credentials, distribution, log, onRun, onEnd, onChange } = this.#options;
    const worker = settings.index;
    return new WorkerSupervisor({
      index: worker,
      parent,
      modulePath: actorPath(import.meta.url, './access-worker-actor.js'),
      log,
      onUp: async (ref, generation) => {
        onRun(worker, generation);
        await router.sendAndReceive('attachWorker', { worker, port: ref, generation });
        const config = distribution.forWorkers;
        const held = { ...credentials.attach(worker, ref), ...certificates.attach(worker, ref) };
        await ref.sendAndReceive('start', { ...settings, ...held, config, generation } satisfies WorkerSettings);
        await distribution.catchUp(ref, config);
      },
      onDown: async () => {
        onEnd(worker);
        this.#overload?.workerGone(worker);
        this.#admission?.workerGone(worker);
        credentials.detach(worker);
        certificates.detach(worker);
        const routes = await router.sendAndReceive('workerGone', { worker });
        log.warn('routes of a crashed access worker withdrawn', { worker, routes });
      },
      onChange,
      onGiveUp: () => log.error('node goes on with fewer access workers', { worker }),
    });
  }
}

function admissionLimits(config: NodeConfig): AdmissionLimits {
  const { connectionsPerIp, acceptsPerSecond } = config.limits;
  return { connections: connectionLimit(config), connectionsPerIp, acceptsPerSecond };
}
