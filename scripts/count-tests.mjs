// Adds up the results of all runs of the tests, whose reports are in the folder `TEST_REPORTS`. Names what failed, and
// prints the sum on one line.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.env.TEST_REPORTS;
let passed = 0;
let failed = 0;
for (const name of readdirSync(folder)) {
  const report = JSON.parse(readFileSync(join(folder, name), "utf8"));
  passed += report.numPassedTests;
  for (const file of report.testResults) {
    const failures = file.assertionResults.filter(({ status }) => status === "failed");
    // A file that cannot even be loaded fails without a failed test in it.
    if (file.status === "failed" && failures.length === 0) tell(name, file.name, file.message);
    for (const { fullName, failureMessages } of failures) tell(name, `${file.name}: ${fullName}`, failureMessages[0]);
  }
}
console.log(`${passed} passed, ${failed} failed`);

function tell(run, test, message = "") {
  failed++;
  console.log(`FAILED in ${run}: ${test}\n  ${message.split("\n", 12).join("\n  ")}`);
}
