namespace Curvature

open System
open System.Globalization
open System.Text

/// Arrays as text: nested brackets and aligned columns. The middle of long axes is left out.
module internal Printing =

    /// Axes longer than this show their first and last few entries only.
    let private threshold = 12
    let private edge = 4

    let private number (dtype: DType) (value: float) =
        match dtype with
        | DType.Int32 -> value.ToString("0", CultureInfo.InvariantCulture)
        | DType.Float32 -> (float32 value).ToString("G6", CultureInfo.InvariantCulture)
        | _ -> value.ToString("G6", CultureInfo.InvariantCulture)

    let private name dtype =
        match dtype with
        | DType.Float32 -> "float32"
        | DType.Float64 -> "float64"
        | _ -> "int32"

    let private shown length =
        if length <= threshold then
            [ 0 .. length - 1 ]
        else
            [ 0 .. edge - 1 ] @ [ -1 ] @ [ length - edge .. length - 1 ]

    /// The elements in nested brackets, of which all but the first line are indented.
    let private brackets (number: float -> string) (indent: int) (shape: int[]) (values: float[]) =
        let strides = Shape.rowMajor shape

        let rec offsets axis offset =
            if axis = shape.Length then
                Seq.singleton offset
            else
                shown shape[axis]
                |> Seq.filter (fun i -> i >= 0)
                |> Seq.collect (fun i -> offsets (axis + 1) (offset + i * strides[axis]))

        let width = offsets 0 0 |> Seq.fold (fun width offset -> max width (number values[offset]).Length) 0

        let text = StringBuilder()

        let rec write axis (offset: int) =
            if axis = shape.Length then
                text.Append((number values[offset]).PadLeft(if shape.Length = 0 then 0 else width)) |> ignore
            else
                text.Append '[' |> ignore

                shown shape[axis]
                |> List.iteri (fun position i ->
                    if position > 0 then
                        if axis = shape.Length - 1 then
                            text.Append ", " |> ignore
                        else
                            text.Append(",\n").Append(' ', indent + axis + 1) |> ignore

                    if i < 0 then
                        text.Append "…" |> ignore
                    else
                        write (axis + 1) (offset + i * strides[axis]))

                text.Append ']' |> ignore

        write 0 0
        text.ToString()

    /// A tensor as text: its elements, element type, and shape where the elements do not tell it.
    let show (dtype: DType) (shape: int[]) (values: float[]) =
        let opening = "tensor("

        let shapeNote =
            if shape.Length > 1 || (shape.Length = 1 && shape[0] > threshold) then
                $", shape {Shape.show shape}"
            else
                ""

        $"{opening}{brackets (number dtype) opening.Length shape values}, {name dtype}{shapeNote})"

    /// The elements alone, in a .NET format for numbers.
    let showFormatted
        (format: string)
        (provider: IFormatProvider | null)
        (dtype: DType)
        (shape: int[])
        (values: float[])
        =
        let culture: IFormatProvider =
            match provider with
            | null -> CultureInfo.InvariantCulture
            | provider -> provider

        let number (value: float) =
            match dtype with
            | DType.Int32 -> (int value).ToString(format, culture)
            | DType.Float32 -> (float32 value).ToString(format, culture)
            | _ -> value.ToString(format, culture)

        try
            brackets number 0 shape values
        with :? FormatException ->
            Fail.range
                $"ToString: a format of {name dtype} numbers, such as \"f3\", was expected, and it is \"{format}\""

    /// A tensor whose values are not known yet.
    let showAbstract (kind: string) (dtype: DType) (shape: int[]) =
        $"tensor({kind}, {name dtype}, shape {Shape.show shape})"
