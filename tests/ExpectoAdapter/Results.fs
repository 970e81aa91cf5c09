namespace Expecto.TestAdapter

open System
open System.Collections.Concurrent
open System.Collections.Generic
open System.Text
open System.Text.RegularExpressions
open Expecto
open Expecto.Impl
open Microsoft.VisualStudio.TestPlatform.ObjectModel
open Microsoft.VisualStudio.TestPlatform.ObjectModel.Adapter

/// Tells the test platform how the tests of a run went.
type internal Results(cases: IReadOnlyDictionary<string, TestCase>, recorder: ITestExecutionRecorder) =

    let started = ConcurrentDictionary<string, DateTimeOffset>()
    let outputs = ConcurrentDictionary<string, StringBuilder>()

    /// Expecto puts the stack below the message and colours both; the platform has a place for the stack, and files of
    /// results have no colours.
    static let split (text: string) =
        let plain = Regex.Replace(text, "\u001b\\[[0-9;]*m", "")

        match plain.IndexOf("\n   at ", StringComparison.Ordinal) with
        | -1 -> plain.Trim(), null
        | place -> plain[.. place - 1].Trim(), plain[place + 1 ..]

    let start (name: string) =
        async {
            started[name] <- DateTimeOffset.UtcNow
            recorder.RecordStart cases[name]
        }

    let finish (outcome: TestOutcome) (name: string) (message: string, stack: string) (duration: TimeSpan) =
        async {
            let case = cases[name]
            // A duration of nothing would be left out of what is printed.
            let duration = max duration (TimeSpan.FromTicks 1L)
            let result = TestResult(case, Outcome = outcome, Duration = duration)
            result.ErrorMessage <- message
            result.ErrorStackTrace <- stack

            match started.TryGetValue name with
            | true, at ->
                result.StartTime <- at
                result.EndTime <- at + duration
            | _ -> ()

            match outputs.TryGetValue name with
            | true, text when text.Length > 0 ->
                result.Messages.Add(TestResultMessage(TestResultMessage.StandardOutCategory, string text))
            | _ -> ()

            recorder.RecordEnd(case, outcome)
            recorder.RecordResult result
        }

    /// What Expecto calls as tests start and end.
    member _.Printer: TestPrinters =
        { TestPrinters.silent with
            beforeEach = fun name _ -> start name
            passed = fun name duration -> finish TestOutcome.Passed name (null, null) duration
            ignored = fun name message -> finish TestOutcome.Skipped name (message, null) TimeSpan.Zero
            failed = fun name message duration -> finish TestOutcome.Failed name (split message) duration
            exn =
                fun name error duration ->
                    let message = $"{error.GetType().FullName}: {error.Message}"
                    finish TestOutcome.Failed name (message, string error.StackTrace) duration
            summary = fun _ _ -> async.Return()
        }

    /// The same code, with the console's text kept for the result.
    member _.Listening (name: string) (code: TestCode) : TestCode =
        let output () = outputs.GetOrAdd(name, fun _ -> StringBuilder())

        match code with
        | Sync run -> Sync(fun () -> Output.into (output ()) run)
        | SyncWithCancel run -> SyncWithCancel(fun token -> Output.into (output ()) (fun () -> run token))
        | Async run -> Async(async.Delay(fun () -> Output.follow (output ()) run))
        | AsyncFsCheck(standard, stress, run) ->
            AsyncFsCheck(standard, stress, fun config -> Output.follow (output ()) (run config))
