// Adds up the results of all runs of the tests, whose reports are in the folder `TEST_REPORTS`, and prints the sum on one
// line.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.env.TEST_REPORTS;
let passed = 0;
let failed = 0;
for (const name of readdirSync(folder)) {
  const report = JSON.parse(readFileSync(join(folder, name), "utf8"));
  passed += report.numPassedTests;
  // A file that cannot even be loaded fails without a failed test in it.
  failed += report.numFailedTests + report.testResults.filter((file) => broken(file)).length;
}
console.log(`${passed} passed, ${failed} failed`);

function broken({ status, assertionResults }) {
  return status === "failed" && assertionResults.every((result) => result.status !== "failed");
}
