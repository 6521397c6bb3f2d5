import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** One file of `npm pack --json`, of which the packages are made. */
export interface Packed {
  readonly name: string;
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));

export const packages = ['data-bridge', '@data-bridge/cli', '@data-bridge/embedded'] as const;

/** TypeScript of these versions compiles what a user writes. */
export const compilers = { '5.9': '5.9.3', '6.0': '6.0.3', '7.0': '7.0.2' } as const;

/**
 * An empty project with the packed packages installed. It has no types of Node.js; its folder `typed` has, and finds
 * everything else in the folder above it.
 */
export class Project {
  readonly #folder: string;
  readonly packed: readonly Packed[];

  private constructor(folder: string, packed: readonly Packed[]) {
    this.#folder = folder;
    this.packed = packed;
  }

  static async create(): Promise<Project> {
    const folder = await mkdtemp(join(tmpdir(), 'packed-'));
    const project = new Project(folder, await pack(folder));
    const tarballs = project.packed.map(({ filename }) => join(folder, filename));
    const peers = await versionsOf(['mongodb', 'zod']);
    const typescripts = Object.entries(compilers).map(([name, exact]) => `typescript-${name}@npm:typescript@${exact}`);
    await project.#install('.', [...tarballs, ...peers, ...typescripts]);
    await project.#install('typed', await versionsOf(['@types/node']));
    return project;
  }

  remove(): Promise<void> {
    return rm(this.#folder, { recursive: true, force: true });
  }

  copy(file: string, to: string): Promise<void> {
    return copyFile(new URL(file, import.meta.url), join(this.#folder, to, file));
  }

  write(file: string, text: string): Promise<void> {
    return writeFile(join(this.#folder, file), text);
  }

  read(file: string): Promise<string> {
    return readFile(join(this.#folder, file), 'utf8');
  }

  /** The paths of a package's files, in order. */
  filesOf(name: (typeof packages)[number]): string[] {
    return (this.packed.find((one) => one.name === name)?.files ?? []).map(({ path }) => path).sort();
  }

  /** What the compiler says: one message an element, its details included. */
  async compile(compiler: keyof typeof compilers, config: string): Promise<string[]> {
    const tsc = join(this.#folder, `node_modules/typescript-${compiler}/bin/tsc`);
    try {
      await run(process.execPath, [tsc, '-p', config, '--pretty', 'false'], { cwd: this.#folder });
      return [];
    } catch (error) {
      const { stdout = '' } = error as { stdout?: string };
      if (stdout === '') throw error;
      return stdout.trimEnd().split(/\n(?=\S)/);
    }
  }

  /** What Node.js writes to its standard output, which is JSON. */
  async node(...args: string[]): Promise<unknown> {
    const { stdout } = await run(process.execPath, args, { cwd: this.#folder });
    return JSON.parse(stdout);
  }

  async #install(folder: string, packages: readonly string[]): Promise<void> {
    const cwd = join(this.#folder, folder);
    await mkdir(cwd, { recursive: true });
    await writeFile(join(cwd, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
    await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...packages], { cwd });
  }
}

async function pack(folder: string): Promise<Packed[]> {
  const workspaces = packages.flatMap((name) => ['--workspace', name]);
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder, ...workspaces], { cwd: root });
  return JSON.parse(stdout) as Packed[];
}

/** The packages at the very versions that this workspace has. */
async function versionsOf(dependencies: readonly string[]): Promise<string[]> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string }>;
  };
  return dependencies.map((name) => `${name}@${lock.packages[`node_modules/${name}`]?.version}`);
}
