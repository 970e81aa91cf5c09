module Curvature.Tests.MpiTests

open System
open System.Diagnostics
open System.IO
open System.Text.RegularExpressions
open Expecto
open Expecto.Flip
open Curvature.Tests

type private Family =
    | OpenMpi
    | Mpich

let private launcher family =
    let names =
        match family with
        | OpenMpi -> [ "mpirun.openmpi"; "orterun" ]
        | Mpich -> [ "mpiexec.hydra"; "mpiexec.mpich" ]

    let folders = (Environment.GetEnvironmentVariable "PATH").Split Path.PathSeparator

    Seq.allPairs names folders
    |> Seq.map (fun (name, folder) -> Path.Combine(folder, name))
    |> Seq.tryFind File.Exists

let private options family =
    match family with
    | OpenMpi -> [ "--oversubscribe" ]
    | Mpich -> []

/// Exit code, standard output, standard error.
let private start family (ranks: int) (arguments: string list) : int * string * string =
    match launcher family with
    | None -> skiptest $"{family} is not installed here"
    | Some launcher ->
        let program = typeof<Family>.Assembly.Location

        let info =
            ProcessStartInfo(launcher, options family @ [ "-n"; string ranks; "dotnet"; program; "spmd" ] @ arguments)

        info.RedirectStandardOutput <- true
        info.RedirectStandardError <- true
        info.Environment["DOTNET_PROCESSOR_COUNT"] <- "1"
        info.Environment["TERM"] <- "dumb"
        info.Environment["OMPI_ALLOW_RUN_AS_ROOT"] <- "1"
        info.Environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] <- "1"
        use job = Process.Start info
        let error = job.StandardError.ReadToEndAsync()
        let output = job.StandardOutput.ReadToEndAsync()

        if not (job.WaitForExit(TimeSpan.FromMinutes 10.0)) then
            job.Kill true
            failtest $"""{ranks} ranks of {family} did not end: {String.concat " " arguments}"""

        job.WaitForExit()
        job.ExitCode, output.Result, error.Result

/// Without what the runtime says to a terminal, which a launcher may seem to be.
let private lines (text: string) =
    Regex.Replace(text, "\u001b(\\[[?0-9;]*[a-zA-Z]|[=>])", "").Split('\n', StringSplitOptions.RemoveEmptyEntries)
    |> List.ofArray

let private numbersHere = lazy (Spmd.numbersHere ())

let private giveTheNumbers family ranks =
    let code, output, error = start family ranks [ "numbers" ]
    Expect.equal $"the exit code; {output}{error}" 0 code

    match lines output with
    | name :: numbers ->
        Expect.stringContains "the name" $"{ranks} ranks of" name
        Expect.equal $"{ranks} ranks of {family}" numbersHere.Value numbers
    | [] -> failtest error

/// How many kills: 2, or what the variable says.
let private kills =
    match Int32.TryParse(Environment.GetEnvironmentVariable "CURVATURE_KILLS") with
    | true, count -> count
    | _ -> 2

let private traceHere = lazy (Spmd.traceHere ())

/// Kills a rank at a random moment, and goes on with another number of ranks.
let private killAndResume family number =
    let random = Random(1000 + number)
    let file = Path.Combine(TemporaryFolder.create "curvature-kill", "trace.checkpoint")
    let ranks = 2 + number % 2
    let rank = random.Next ranks
    // A rank of three reads one or two groups in a pass, of which there are thirty.
    let reads = 6 + random.Next 30
    let what = $"rank {rank} of {ranks} killed at read {reads}"
    let code, output, error = start family ranks [ "trace"; file; string rank; string reads ]
    Expect.notEqual $"{what}: the exit code; {output}{error}" 0 code
    let wasThere = File.Exists file
    let code, output, error = start family (1 + (ranks + number) % 3) [ "trace"; file; "-1"; "0" ]
    Expect.equal $"{what}: the exit code; {output}{error}" 0 code
    Expect.equal what [ traceHere.Value; $"resumed {wasThere}" ] (lines output)
    wasThere

[<Tests>]
let tests =
    testList "MPI" [
        for family, ranks in [ OpenMpi, 1; OpenMpi, 2; OpenMpi, 3; Mpich, 2 ] do
            testCase $"{ranks} ranks of {family} give the bits of one process" (fun () -> giveTheNumbers family ranks)

        testCase "a job whose rank was killed goes on from its checkpoint, on another number of ranks" (fun () ->
            let resumed = [ for number in 1..kills -> killAndResume OpenMpi number ]
            printfn $"{kills} ranks were killed, {resumed |> List.filter id |> List.length} after a checkpoint"
            Expect.contains "some were killed after a checkpoint" true resumed)

        testCase "an error of the program ends the job, and says what it was" (fun () ->
            for family in [ OpenMpi; Mpich ] do
                if (launcher family).IsSome then
                    let code, _, error = start family 2 [ "fail" ]
                    Expect.notEqual "the exit code" 0 code
                    Expect.stringContains "what it was" "rank 0 of 2 ends the job: DataException" error)

        testCase "garbage is answered by every rank with an error, and the job goes on" (fun () ->
            let code, output, error = start OpenMpi 2 [ "garbage" ]
            Expect.equal $"the exit code; {output}{error}" 0 code
            let refused = lines output |> List.filter (fun line -> line.Contains "ClusterException")
            Expect.equal "answers" 2 refused.Length
            Expect.stringContains "then" "then " (List.last (lines output)))
    ]
