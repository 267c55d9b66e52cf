/** CPU between two moments: the server's, this process's, and what everything else on the machine took. */
import { cpuBetween, machineBusyUs, sampleCpu } from './process-sample.js';

export interface Usage {
  readonly seconds: number;
  /** The server's, all threads. */
  readonly cpuUs: number;
  /** The server's main thread alone. */
  readonly mainThreadUs: number;
  /** This process's. */
  readonly generatorCpuUs: number;
  /** CPU that neither the server nor this process used, share of one core: above 0.1, do not trust the figures. */
  readonly othersShare: number;
}

/** @returns a function that ends the measurement */
export function startUsage(serverPid: number): () => Usage {
  const cpuBefore = sampleCpu(serverPid);
  const ownBefore = process.cpuUsage();
  const machineBefore = machineBusyUs();
  const startedMs = performance.now();
  return () => {
    const seconds = (performance.now() - startedMs) / 1e3;
    const cpu = cpuBetween(cpuBefore, sampleCpu(serverPid), serverPid);
    const own = process.cpuUsage(ownBefore);
    const generatorCpuUs = own.user + own.system;
    const othersUs = machineBusyUs() - machineBefore - cpu.totalUs - generatorCpuUs;
    return {
      seconds,
      cpuUs: cpu.totalUs,
      mainThreadUs: cpu.mainThreadUs,
      generatorCpuUs,
      othersShare: Math.max(0, othersUs / 1e6 / seconds),
    };
  };
}
