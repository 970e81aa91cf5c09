namespace Curvature

open System
open System.Diagnostics
open Curvature.FSharp

/// How a series is drawn.
[<NoEquality; NoComparison>]
type internal SeriesKind =
    | Line of dashed: bool
    | Band
    | Points
    | Rug
    | Horizontal
    | Vertical
    | Contours of z: float[,] * levels: float[]

[<NoEquality; NoComparison>]
type internal SeriesContent =
    {
        Name: string
        Kind: SeriesKind
        X: float[]
        Y: float[]
        /// Ends of error bars, or of a band.
        Bounds: struct (float[] * float[]) voption
        /// The text of each point under the pointer; empty where the numbers are shown.
        Notes: string[]
        /// One of the eight colours, from 1 on; 0 for the next.
        Accent: int
    }

/// Numbers of a chart and how they are drawn. Made by the functions of the module Series.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type Series internal (content: SeriesContent) =
    /// What it is called in the legend; empty for a series without an entry there.
    member _.Name = content.Name

    member internal _.Kind = content.Kind
    member internal _.X = content.X
    member internal _.Y = content.Y
    member internal _.Bounds = content.Bounds
    member internal _.Notes = content.Notes
    member internal _.Accent = content.Accent

    /// The same series in one of the eight colours, from 1 on; without it, each series takes the next. Raises
    /// ArgumentRangeException for another.
    member _.WithAccent(number: int) : Series =
        if number < 1 || number > 8 then
            Fail.range $"WithAccent: there are accents 1 to 8, and {number} was asked for"

        Series { content with Accent = number }

    /// The same series with a text for each of its points, shown under the pointer. Raises ShapeException for another
    /// number of texts.
    member _.WithNotes(texts: string seq) : Series =
        let texts = Seq.toArray texts

        if texts.Length <> content.X.Length then
            Fail.shape (
                $"WithNotes: series \"{content.Name}\" has {content.X.Length} points, "
                + $"and there are {texts.Length} texts"
            )

        Series { content with Notes = texts }

    override _.ToString() =
        let kind =
            match content.Kind with
            | Line false -> "line"
            | Line true -> "dashed line"
            | Band -> "band"
            | Points -> "points"
            | Rug -> "rug"
            | Horizontal -> "horizontal line"
            | Vertical -> "vertical line"
            | Contours _ -> "contours"

        let name = if content.Name = "" then "" else $" \"{content.Name}\""

        match content.Kind with
        | Horizontal -> $"{kind}{name} at {Numbers.show content.Y[0]}"
        | Vertical -> $"{kind}{name} at {Numbers.show content.X[0]}"
        | Contours(z, _) -> $"{kind}{name} of {Array2D.length2 z} × {Array2D.length1 z} numbers"
        | _ -> $"""{kind}{name} of {Describe.count content.X.Length "point"}"""

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open Curvature

/// Series of a chart. Points that are NaN are left out, and break a line.
[<RequireQualifiedAccess>]
module Series =

    let private create (name: string) kind x y bounds =
        Series
            {
                Name = name
                Kind = kind
                X = x
                Y = y
                Bounds = bounds
                Notes = [||]
                Accent = 0
            }

    let private same (name: string) (x: float[]) (others: float[] list) =
        if others |> List.exists (fun other -> other.Length <> x.Length) then
            let counts = String.Join(", ", others |> List.map _.Length)
            Fail.shape $"series \"{name}\": {x.Length} places need as many numbers, and there are {counts}"

    /// A line through points (xᵢ, yᵢ). Raises ShapeException where there are not as many x as y, like all functions
    /// here.
    let line (name: string) (x: float[]) (y: float[]) : Series =
        same name x [ y ]
        create name (Line false) x y ValueNone

    /// A dashed line, such as that of a model beside what is modelled.
    let dashed (name: string) (x: float[]) (y: float[]) : Series =
        same name x [ y ]
        create name (Line true) x y ValueNone

    /// The area between two curves, such as a confidence band.
    let band (name: string) (x: float[]) (low: float[]) (high: float[]) : Series =
        same name x [ low; high ]
        create name Band x low (ValueSome(struct (low, high)))

    /// Points.
    let points (name: string) (x: float[]) (y: float[]) : Series =
        same name x [ y ]
        create name Points x y ValueNone

    /// Points with bars from low to high: along y, or along x where the y axis has names.
    let errorBars (name: string) (x: float[]) (y: float[]) (low: float[]) (high: float[]) : Series =
        same name x [ y; low; high ]
        create name Points x y (ValueSome(struct (low, high)))

    /// Short marks along the x axis, one for each number.
    let rug (name: string) (x: float[]) : Series = create name Rug x x ValueNone

    /// A line across the chart at one y.
    let horizontal (name: string) (y: float) : Series = create name Horizontal [||] [| y |] ValueNone

    /// A line up the chart at one x.
    let vertical (name: string) (x: float) : Series = create name Vertical [| x |] [||] ValueNone

    let private isAscending (x: float[]) = x |> Array.pairwise |> Array.forall (fun (a, b) -> a < b)

    /// Lines and areas of equal z, for a row of numbers for each y and a column for each x, both ascending, at given
    /// levels. The name says what z is, with its unit. Raises ShapeException where the sizes do not fit or are less
    /// than two, ArgumentRangeException for places or levels that do not ascend.
    let contoursAt (levels: float[]) (name: string) (x: float[]) (y: float[]) (z: float[,]) : Series =
        let rows, columns = Array2D.length1 z, Array2D.length2 z

        if rows <> y.Length || columns <> x.Length || rows < 2 || columns < 2 then
            Fail.shape (
                $"contours \"{name}\": {y.Length} × {x.Length} places, at least 2 × 2, need as many numbers, and "
                + $"there are {rows} × {columns}"
            )

        if not (isAscending x && isAscending y && isAscending levels) then
            Fail.range $"contours \"{name}\": the places and levels must ascend"

        create name (Contours(z, levels)) x y ValueNone

    /// Lines and areas of equal z at about eight levels, which are nice numbers: evenly spaced, or by factors where the
    /// largest z is many times the least.
    let contours (name: string) (x: float[]) (y: float[]) (z: float[,]) : Series =
        let finite = z |> Seq.cast<float> |> Seq.filter Double.IsFinite |> Seq.toArray

        let levels =
            if finite.Length = 0 then
                [||]
            else
                Levels.between (Array.min finite) (Array.max finite)

        contoursAt levels name x y z
