namespace Curvature

open System
open Curvature.FSharp

/// Definitions of operators that are made of those of others.
module internal OperatorAlgebra =

    /// The products of the transpose, where they are known.
    let adjoint (a: OperatorDefinition) : Products voption =
        if a.Properties.HasFlag OperatorProperties.Symmetric then
            ValueSome a.Product
        else
            a.Adjoint

    /// zᵢᵀAzᵢ for the rows of a block by the cheapest way there is.
    let forms (a: OperatorDefinition) : Tensor -> Tensor =
        match a.Forms with
        | ValueSome forms -> forms
        | ValueNone -> fun z -> Products.rowDots z (a.Product.Matmat z)

    /// Aᵀ. Raises OperatorException where its products are not known.
    let transpose (a: OperatorDefinition) : OperatorDefinition =
        match a.Adjoint with
        | ValueSome products ->
            { a with
                Name = $"transpose of {a.Name}"
                Rows = a.Columns
                Columns = a.Rows
                Product = products
                Adjoint = ValueSome a.Product
                BlockForms = ValueNone
            }
        | ValueNone -> Fail.operator $"{a.Name}: the products of its transpose are not known"

    /// A + B, or A − B, as the symbol says.
    let private combine symbol f properties (a: OperatorDefinition) (b: OperatorDefinition) : OperatorDefinition =
        let name = $"({a.Name} {symbol} {b.Name})"

        if a.Rows <> b.Rows || a.Columns <> b.Columns then
            Fail.shape (
                $"{name}: the operators have shapes [{a.Rows}; {a.Columns}] and [{b.Rows}; {b.Columns}], "
                + "which differ"
            )

        if a.DType <> b.DType then
            Fail.dtype $"{name}: the operators have element types {a.DType} and {b.DType}, which differ"

        let bothForms =
            if a.Rows = a.Columns && (a.Forms.IsSome || b.Forms.IsSome) then
                let first, second = forms a, forms b
                ValueSome(fun z -> f (first z) (second z))
            else
                ValueNone

        { a with
            Name = name
            Properties = properties
            Product = Products.map2 f a.Product b.Product
            Adjoint = ValueOption.map2 (Products.map2 f) (adjoint a) (adjoint b)
            Forms = bothForms
            FormsByBatch = ValueNone
            BlockForms = ValueNone
            Warnings = List.distinct (a.Warnings @ b.Warnings)
        }

    /// A + B.
    let sum (a: OperatorDefinition) (b: OperatorDefinition) : OperatorDefinition =
        combine "+" (+) (a.Properties &&& b.Properties) a b

    /// A − B. A difference of semidefinite operators may be indefinite.
    let difference (a: OperatorDefinition) (b: OperatorDefinition) : OperatorDefinition =
        combine "-" (-) (a.Properties &&& b.Properties &&& OperatorProperties.Symmetric) a b

    /// A·B: first B, then A.
    let compose (a: OperatorDefinition) (b: OperatorDefinition) : OperatorDefinition =
        if a.Columns <> b.Rows then
            Fail.shape $"composition: {a.Name} takes vectors [{a.Columns}], and {b.Name} gives vectors [{b.Rows}]"

        if a.DType <> b.DType then
            Fail.dtype $"composition: {a.Name} is {a.DType}, and {b.Name} is {b.DType}"

        {
            Name = $"({a.Name} * {b.Name})"
            Rows = a.Rows
            Columns = b.Columns
            DType = a.DType
            Device = a.Device
            Properties = OperatorProperties.None
            Product = Products.andThen a.Product b.Product
            Adjoint = ValueOption.map2 Products.andThen (adjoint b) (adjoint a)
            Forms = ValueNone
            FormsByBatch = ValueNone
            BlockForms = ValueNone
            Warnings = List.distinct (a.Warnings @ b.Warnings)
        }

    /// c·A. Raises ArgumentRangeException for a factor that is not finite.
    let scale (factor: float) (a: OperatorDefinition) : OperatorDefinition =
        if not (Double.IsFinite factor) then
            Fail.range $"scale: a factor must be finite, and this one is {factor}"

        let times (t: Tensor) = factor * t
        let ofBatches = List.map (fun (size: int, form) -> size, times form)

        { a with
            Name = $"{factor} * {a.Name}"
            Properties =
                if factor >= 0.0 then
                    a.Properties
                else
                    a.Properties &&& OperatorProperties.Symmetric
            Product = Products.map times a.Product
            Adjoint = a.Adjoint |> ValueOption.map (Products.map times)
            Forms = a.Forms |> ValueOption.map (fun forms -> forms >> times)
            FormsByBatch = a.FormsByBatch |> ValueOption.map (fun forms -> forms >> ofBatches)
            BlockForms = ValueNone
        }
