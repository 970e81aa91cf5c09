namespace Expecto.TestAdapter

open System
open System.IO
open System.Text
open System.Threading

/// What each test writes to the console, also where several run at once: the text belongs to the flow of execution, and
/// follows it into the threads and tasks that the test starts.
module internal Output =

    let private current = AsyncLocal<StringBuilder>()

    /// A writer that gives text to the running test, and to another writer where no test runs.
    let private writer (otherwise: TextWriter) =
        { new TextWriter() with
            member _.Encoding = Encoding.UTF8

            member _.Write(text: string) =
                match current.Value with
                | null -> otherwise.Write text
                | builder -> lock builder (fun () -> builder.Append text |> ignore)

            member this.Write(letter: char) = this.Write(string letter)
            member this.Write(letters: char[], start, count) = this.Write(String(letters, start, count))
        }

    /// Runs an action while the console's text goes to the tests that write it.
    let divert (action: unit -> unit) : unit =
        let console = Console.Out
        Console.SetOut(writer console)

        try
            action ()
        finally
            Console.SetOut console

    /// Runs a test, whose text is added to a builder.
    let into (builder: StringBuilder) (run: unit -> 'T) : 'T =
        current.Value <- builder

        try
            run ()
        finally
            current.Value <- null

    /// The same for a computation: the text of its steps follows it from thread to thread.
    let follow (builder: StringBuilder) (computation: Async<'T>) : Async<'T> =
        async {
            current.Value <- builder
            return! computation
        }
