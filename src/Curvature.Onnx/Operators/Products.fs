namespace Curvature.OnnxFormat

open Curvature
open Curvature.FSharp

/// Products of matrices.
[<RequireQualifiedAccess>]
module internal Products =

    /// Refuses a product of which the result is too large: a row and a column make a matrix.
    let private requireRoom (call: Call) (a: int[]) (b: int[]) =
        let leading (shape: int[]) = if shape.Length < 3 then [||] else shape[.. shape.Length - 3]
        let rows = if a.Length < 2 then 1 else a[a.Length - 2]
        let columns = if b.Length < 2 then 1 else b[b.Length - 1]
        let result = Array.append (Shape.broadcast call.Node.Label (leading a) (leading b)) [| rows; columns |]
        call.Context.RequireRoom(call.Node.Label, result |> Array.map int64)

    let private matmul (call: Call) : Value list =
        let a, b = call.Input 0, call.Input 1
        requireRoom call a.Shape b.Shape

        if a.IsFloating then
            call.Result(Tensor.matmul (call.Tensor 0) (call.Tensor 1))
        else
            let wide = Value.tensor call.Context DType.Float64
            [ Value.ofWhole a.Kind (Tensor.matmul (wide a) (wide b)) ]

    /// α·A·B + β·C, A and B perhaps transposed. C broadcasts.
    let private gemm (call: Call) : Value list =
        let node = call.Node

        let matrix i name =
            if node.Flag(name, false) then
                Tensor.transpose (call.Tensor i)
            else
                call.Tensor i

        let scaled (factor: float) (t: Tensor) = if factor = 1.0 then t else factor * t
        let a, b = matrix 0 "transA", matrix 1 "transB"
        requireRoom call a.Shape b.Shape
        let product = scaled (node.Float("alpha", 1.0)) (Tensor.matmul a b)

        match call.TryTensor 2 with
        | ValueSome c -> call.Result(product + scaled (node.Float("beta", 1.0)) c)
        | ValueNone -> call.Result product

    let private gemmOf fewest = Operator.make "Gemm" (fewest, 3) "alpha:float beta:float transA:int transB:int" gemm

    let operators: Operator list =
        [
            Operator.make "MatMul" (2, 2) "" matmul
            gemmOf 3 |> Operator.until 10
            gemmOf 2 |> Operator.since 11
        ]
