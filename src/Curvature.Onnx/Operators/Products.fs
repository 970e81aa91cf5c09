namespace Curvature.OnnxFormat

open Curvature
open Curvature.FSharp

/// Products of matrices.
[<RequireQualifiedAccess>]
module internal Products =

    let private matmul (call: Call) : Value list =
        let a, b = call.Input 0, call.Input 1

        if a.IsFloating then
            call.Result(Tensor.matmul (call.Tensor 0) (call.Tensor 1))
        else
            let wide = Value.tensor call.Context DType.Float64
            [ Value.ofWhole a.Kind (Tensor.matmul (wide a) (wide b)) ]

    /// α·A·B + β·C, A and B perhaps transposed. C broadcasts.
    let private gemm (call: Call) : Value list =
        let node = call.Node
        let matrix i name = if node.Flag(name, false) then Tensor.transpose (call.Tensor i) else call.Tensor i
        let scaled (factor: float) (t: Tensor) = if factor = 1.0 then t else factor * t
        let product = scaled (node.Float("alpha", 1.0)) (Tensor.matmul (matrix 0 "transA") (matrix 1 "transB"))

        match call.TryTensor 2 with
        | ValueSome c -> call.Result(product + scaled (node.Float("beta", 1.0)) c)
        | ValueNone -> call.Result product

    let private gemmOf fewest =
        Operator.make "Gemm" (fewest, 3) "alpha:float beta:float transA:int transB:int" gemm

    let operators: Operator list =
        [
            Operator.make "MatMul" (2, 2) "" matmul
            gemmOf 3 |> Operator.until 10
            gemmOf 2 |> Operator.since 11
        ]
