export { dashboardThread } from "./dashboard-thread.js";
export { type Dashboard, type DashboardCase, type StartDashboardOptions, startDashboard } from "./start-dashboard.js";
