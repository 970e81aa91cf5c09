namespace Curvature.FSharp

open System
open Curvature
open Curvature.Kernels

/// Checks of operators, and parts that they are made of.
module internal OperatorParts =

    let checkSize what rows columns =
        if rows < 0 || columns < 0 then
            Fail.range $"{what}: an operator cannot have {rows} rows and {columns} columns"

    let checkFloating what dtype =
        if dtype = DType.Int32 then
            Fail.dtype $"{what}: an operator is Float32 or Float64, and Int32 was asked for"

    let requireSquare what (a: LinearOperator) =
        if not a.IsSquare then
            Fail.operator $"{what}: a square operator is needed, and {a.Name} has shape [{a.Rows}; {a.Columns}]"

    let requireVector what (t: Tensor) =
        ArgumentNullException.ThrowIfNull(t, what)

        if t.Rank <> 1 then
            Fail.shape $"{what}: a vector is needed, and the shape is {Shape.show t.Signature.Shape}"

        checkFloating what t.DType

    let requireMatrix what (t: Tensor) =
        if t.Rank <> 2 then
            Fail.shape $"{what}: a matrix is needed, and the shape is {Shape.show t.Signature.Shape}"

        checkFloating what t.DType

    /// A definition without claims, transpose or quadratic forms.
    let define name dtype rows columns product =
        checkSize name rows columns
        checkFloating name dtype

        {
            Name = name
            Rows = rows
            Columns = columns
            DType = dtype
            Device = CpuDevice.Shared
            Properties = OperatorProperties.None
            Product = product
            Adjoint = ValueNone
            Forms = ValueNone
            FormsByBatch = ValueNone
            BlockForms = ValueNone
            Warnings = []
        }

    /// Products by a function of arrays, for one vector after the other.
    let onArrays (dtype: DType) (f: float[] -> float[]) : Products =
        let single (v: Tensor) =
            // A function from C# may return null, whatever its type says.
            match (f (v.ToArray()): float[] | null) with
            | null -> Fail.operator "delegate: a product must be an array, and null came back"
            | result -> Tensor.ofArray [ result.Length ] result |> Tensor.convert dtype |> Tensor.toDevice v.Device

        {
            Matvec = single
            Matmat =
                fun block ->
                    List.init block.Signature.Shape[0] (fun i -> single (Tensor.item 0 i block)) |> Tensor.stack 0
        }

    /// Whether entries differ from their mirror images by at most `tolerance` times the largest.
    let isSymmetric tolerance (matrix: Tensor) =
        let n = matrix.Signature.Shape[0]
        let values = matrix.ToArray()

        let largest =
            if tolerance > 0.0 then
                values |> Array.fold (fun m v -> max m (abs v)) 0.0
            else
                0.0

        Seq.forall
            (fun i ->
                Seq.forall
                    (fun j -> abs (values[i * n + j] - values[j * n + i]) <= tolerance * largest)
                    (seq { 0 .. i - 1 }))
            (seq { 1 .. n - 1 })

    /// Basis vectors are multiplied this many at a time.
    let basisBlock = 64

    /// Rows `start` … `start + count − 1` of the identity of size n.
    let basis (device: Device) (dtype: DType) n start count : Tensor =
        let positions = Tensor.ofIndices [ count ] [| start .. start + count - 1 |]
        let on t = Tensor.toDevice device t
        Tensor.scatterAdd 1 n (on positions) (on (Tensor.eye dtype count))
