namespace Expecto.TestAdapter

open System.Collections.Generic
open System.Threading
open Expecto
open Expecto.Impl
open Microsoft.VisualStudio.TestPlatform.ObjectModel
open Microsoft.VisualStudio.TestPlatform.ObjectModel.Adapter
open Microsoft.VisualStudio.TestPlatform.ObjectModel.Logging

/// Lets the test platform, and so `dotnet test`, find and run the tests of Expecto. README.md tells how to use it.
[<FileExtension ".dll"; FileExtension ".exe"; DefaultExecutorUri(Discovery.Executor); ExtensionUri(Discovery.Executor)>]
type ExpectoAdapter() =

    let cancellation = new CancellationTokenSource()

    /// Runs the tests of an assembly that are wanted.
    let run (source: string) (isWanted: TestCase -> bool) (handle: IFrameworkHandle) =
        let assembly, tests = Discovery.load source
        let cases = Dictionary<string, TestCase>()

        for test in tests do
            let case = Discovery.describe source assembly test
            if isWanted case then cases[case.FullyQualifiedName] <- case

        let results = Results(cases, handle)

        let leaf (test: FlatTest) =
            let name = Discovery.path test
            let case = Test.TestCase(results.Listening name test.test, test.state)
            Test.Sequenced(test.sequenced, Test.TestLabel(name, case, test.state))

        let chosen = tests |> List.filter (Discovery.path >> cases.ContainsKey) |> List.map leaf

        let config =
            { ExpectoConfig.defaultConfig with
                printer = results.Printer
                verbosity = Logging.LogLevel.Fatal
                noSpinner = true
                runInParallel = not (Discovery.isSequenced assembly)
            }

        if not chosen.IsEmpty then
            Output.divert (fun () ->
                evalTestsWithCancel cancellation.Token config (Test.TestList(chosen, Normal)) false
                |> Async.RunSynchronously
                |> ignore)

    /// An assembly whose tests cannot be listed is an error of the run, and not an assembly without tests.
    let attempt (logger: IMessageLogger) (source: string) (action: unit -> unit) =
        try
            action ()
        with error ->
            logger.SendMessage(TestMessageLevel.Error, $"{source}: {error}")

    interface ITestDiscoverer with
        member _.DiscoverTests(sources, _, logger, sink) =
            for source in sources do
                attempt logger source (fun () ->
                    let assembly, tests = Discovery.load source

                    for test in tests do
                        sink.SendTestCase(Discovery.describe source assembly test))

    interface ITestExecutor with
        member _.Cancel() = cancellation.Cancel()

        member _.RunTests(sources: string seq, context: IRunContext, handle: IFrameworkHandle) =
            let filter = context.GetTestCaseFilter(Discovery.filterable, Discovery.property)

            let value (case: TestCase) (name: string) =
                match Discovery.property name with
                | null -> null
                | property -> case.GetPropertyValue property

            let isWanted case = isNull filter || filter.MatchTestCase(case, value case)

            for source in sources do
                attempt handle source (fun () -> run source isWanted handle)

        member _.RunTests(tests: TestCase seq, _: IRunContext, handle: IFrameworkHandle) =
            for source, chosen in tests |> Seq.groupBy _.Source do
                let names = HashSet(chosen |> Seq.map _.FullyQualifiedName)
                attempt handle source (fun () -> run source (_.FullyQualifiedName >> names.Contains) handle)
