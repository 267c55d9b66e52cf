/**
 * Lua by name. Each connection loads every script when it comes up, so that a call is its digest and its arguments;
 * a server that has forgotten one is sent the whole of it.
 */
import { createHash } from 'node:crypto';

export interface Script {
  readonly name: string;
  readonly lua: string;
  /** Hexadecimal SHA-1, by which Redis knows it. */
  readonly sha: string;
}

const scripts: Script[] = [];

/** To be called as the module is loaded: what is defined later is sent whole at its first call. */
export function defineScript(name: string, lua: string): Script {
  const script = { name, lua, sha: createHash('sha1').update(lua).digest('hex') };
  scripts.push(script);
  return script;
}

export function definedScripts(): readonly Script[] {
  return scripts;
}
