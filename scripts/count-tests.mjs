// Adds up what the test runner reported on each version of Node.js, and prints the sum on one line.
import { readdirSync, readFileSync } from "node:fs";

const folder = new URL("../.reports/", import.meta.url);
let passed = 0;
let failed = 0;
for (const name of readdirSync(folder)) {
  const report = JSON.parse(readFileSync(new URL(name, folder), "utf8"));
  passed += report.numPassedTests;
  // A file that cannot even be loaded fails without a failed test in it.
  failed += report.numFailedTests + report.testResults.filter((file) => broken(file)).length;
}
console.log(`${passed} passed, ${failed} failed`);

function broken({ status, assertionResults }) {
  return status === "failed" && assertionResults.every((result) => result.status !== "failed");
}
