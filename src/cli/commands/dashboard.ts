import { Command } from "commander";
import { startDashboard } from "../../server/index.js";
import { type CommonOptions, commandOutput } from "../command-output.js";
import { parsePort } from "../parse-port.js";
import { addressWithToken, controlToken } from "../serve-runs.js";

interface DashboardCommandOptions extends CommonOptions {
  readonly host: string;
  readonly port: number;
  readonly token?: string;
  readonly data: readonly string[];
}

/** `voxstream dashboard <runs>`: serves the live page of a folder of runs until it is interrupted. */
export function dashboardCommand(): Command {
  return new Command("dashboard")
    .argument("[runs]", "folder of runs", "runs")
    .option("--host <address>", "address to listen on; any other than this machine's own needs --token", "127.0.0.1")
    .option("--port <n>", "port; 0 takes a free one", parsePort, 6180)
    .option(
      "--token <text>",
      "what readers must know, at least 16 characters (or VOXSTREAM_TOKEN); without it everybody on this machine may read, and a token is made up for control",
    )
    .option(
      "--data <dir...>",
      "folders of cases whose images and labels may be shown beside their predictions; they go before where a run has noted that its own cases lie",
      [],
    )
    .action(async (runs: string, options: DashboardCommandOptions) => {
      const output = commandOutput(options);
      const token = options.token ?? process.env.VOXSTREAM_TOKEN;
      const own = token ?? controlToken();
      const dashboard = await startDashboard({
        runs,
        host: options.host,
        port: options.port,
        data: options.data,
        ...(token === undefined ? { controlToken: own } : { token }),
      });
      const address = token === undefined ? addressWithToken(dashboard.url, own) : dashboard.url;
      output.result({ url: dashboard.url, address, runs }, `dashboard of ${runs}: ${address}`);
      output.note("Ctrl-C ends it.");
      await new Promise<void>((resolve) => {
        process.once("SIGINT", resolve);
        process.once("SIGTERM", resolve);
      });
      await dashboard.close();
    });
}
