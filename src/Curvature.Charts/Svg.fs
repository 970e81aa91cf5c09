namespace Curvature.FSharp

open System
open System.Globalization
open System.Text

/// Elements of an SVG document, as text.
module internal Svg =

    /// Text that may stand in an element or an attribute: marked up where it would be markup, without characters that
    /// XML does not have.
    let escape (text: string) =
        let written (rune: Rune) =
            match string rune with
            | "&" -> "&amp;"
            | "<" -> "&lt;"
            | ">" -> "&gt;"
            | "\"" -> "&quot;"
            | "\n"
            | "\t" as space -> space
            | _ when rune.Value < 0x20 || rune.Value = 0xFFFE || rune.Value = 0xFFFF -> "\uFFFD"
            | one -> one

        text.EnumerateRunes() |> Seq.map written |> String.concat ""

    /// A length, to a hundredth of a pixel.
    let length (x: float) = (Math.Round(x, 2) + 0.0).ToString("0.##", CultureInfo.InvariantCulture)

    let private attributes (pairs: (string * string) list) =
        pairs |> List.map (fun (name, value) -> $" {name}=\"{escape value}\"") |> String.concat ""

    /// An element around others.
    let element (name: string) (pairs: (string * string) list) (children: string list) =
        match children with
        | [] -> $"<{name}{attributes pairs}/>"
        | _ ->
            let inside = String.concat "" children
            $"<{name}{attributes pairs}>{inside}</{name}>"

    /// An element around text.
    let text (name: string) (pairs: (string * string) list) (content: string) = element name pairs [ escape content ]

    /// What is shown under the pointer.
    let hover (content: string) = text "title" [] content

    /// A path through points; a new one begins after each gap.
    let path (pieces: struct (float * float)[] seq) (closed: bool) =
        let piece points =
            let steps =
                points
                |> Array.mapi (fun i (struct (x, y)) ->
                    let letter = if i = 0 then "M" else "L"
                    $"{letter}{length x} {length y}")

            String.concat "" steps + (if closed then "Z" else "")

        pieces |> Seq.map piece |> String.concat ""
