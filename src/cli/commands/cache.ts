import { existsSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { cacheInfo, listCache, pruneCache, verifyCache } from "../../cache/index.js";
import { formatBytes } from "../../core/bytes.js";
import { VoxError } from "../../core/errors.js";
import { type CommonOptions, commandOutput } from "../command-output.js";
import { formatTable } from "../format-table.js";
import { parseNaturalNumber } from "../parse-natural-number.js";

/** The folder that is meant; looking must not make one. */
function folderOf(given: string | undefined): string {
  const folder = given ?? process.env.VOXSTREAM_CACHE ?? "cache";
  if (existsSync(join(folder, "cases.lmdb"))) return folder;
  throw new VoxError("the folder must hold a cache (cases.lmdb), got none", { code: "ERR_CACHE", where: folder });
}

/** `voxstream cache list|verify|prune [folder]`: looks after the cases that `cached(...)` keeps. */
export function cacheCommand(): Command {
  const command = new Command("cache");
  command
    .command("list [folder]")
    .description("what is stored, with size and last use")
    .action((folder: string | undefined, options: CommonOptions) => {
      const cases = listCache(folderOf(folder));
      const info = cacheInfo(folderOf(folder));
      commandOutput(options).result(
        JSON.parse(JSON.stringify({ ...info, entries: cases })),
        `${formatTable([["case", "size", "image", "last used", "made by"], ...cases.map(({ id, bytes, image, error, used, made }) => [id, formatBytes(bytes), error > 0 ? `${image} ±${error.toPrecision(2)}` : image, new Date(used).toISOString().slice(0, 16), made])])}\n\n${cases.length} cases in ${folderOf(folder)}`,
      );
    });
  command
    .command("verify [folder]")
    .description("read everything against its checksums; damaged cases are removed and will be made again")
    .option("--keep", "only report")
    .action(async (folder: string | undefined, options: CommonOptions & { readonly keep?: boolean }) => {
      const damages = await verifyCache(folderOf(folder), { remove: !options.keep });
      commandOutput(options).result(
        JSON.parse(JSON.stringify({ folder: folderOf(folder), damages })),
        damages.length === 0 ? "everything is intact" : damages.map(({ id, damagedChunks }) => `${id}: ${damagedChunks} damaged chunks`).join("\n"),
      );
      if (damages.length > 0) process.exitCode = 1;
    });
  command
    .command("prune [folder]")
    .description("remove cases that no run has used for some days")
    .option("--days <n>", "days without use; 0 removes all", parseNaturalNumber, 30)
    .action((folder: string | undefined, options: CommonOptions & { readonly days: number }) => {
      const pruned = pruneCache(folderOf(folder), { unusedMs: options.days * 86_400_000 });
      commandOutput(options).result(
        JSON.parse(JSON.stringify({ folder: folderOf(folder), ...pruned })),
        `${pruned.cases} cases removed, ${formatBytes(pruned.bytes)}`,
      );
    });
  return command;
}
