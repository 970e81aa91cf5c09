namespace Curvature.Samples.Report

open System.IO
open Spectre.Console

/// Where the report is shown while it is made.
[<AbstractClass>]
type Display() =
    /// One line.
    abstract Say: line: string -> unit

    /// Runs a piece of work that tells which share of it is done.
    abstract Work<'T> : title: string * work: ((float -> unit) -> 'T) -> 'T

    /// Rows under headings. The first column is text, the others numbers.
    abstract Table: title: string * headings: string list * rows: string list list -> unit

/// Plain lines, for files and other programs.
type PlainDisplay(writer: TextWriter) =
    inherit Display()

    override _.Say line = writer.WriteLine line
    override _.Work(_, work) = work ignore

    override _.Table(title, headings, rows) =
        let all = headings :: rows
        let widths = List.transpose all |> List.map (List.map String.length >> List.max)

        let line cells =
            List.zip widths cells
            |> List.mapi (fun column (width, cell: string) ->
                if column = 0 then cell.PadRight width else cell.PadLeft width)
            |> String.concat "  "

        writer.WriteLine()
        writer.WriteLine title
        all |> List.iter (fun cells -> writer.WriteLine((line cells).TrimEnd()))

/// Colours, tables and progress bars, for a person at a terminal.
type TerminalDisplay(console: IAnsiConsole) =
    inherit Display()

    override _.Say line = console.WriteLine line

    override _.Work(title, work) =
        let columns: ProgressColumn[] =
            [|
                TaskDescriptionColumn(Alignment = Justify.Left)
                ProgressBarColumn()
                PercentageColumn()
                ElapsedTimeColumn()
            |]

        console
            .Progress()
            .Columns(columns)
            .AutoClear(true)
            .Start(fun context ->
                let task = context.AddTask(Markup.Escape title, true, 1.0)
                let result = work (fun share -> task.Value <- share)
                task.Value <- 1.0
                result)

    override _.Table(title, headings, rows) =
        let table = Table(Title = TableTitle(Markup.Escape title), Border = TableBorder.Rounded)

        headings
        |> List.iteri (fun column heading ->
            let alignment = if column = 0 then Justify.Left else Justify.Right
            table.AddColumn(TableColumn(Markup.Escape heading, Alignment = alignment)) |> ignore)

        for row in rows do
            table.AddRow(row |> List.map Markup.Escape |> List.toArray) |> ignore

        console.Write table
