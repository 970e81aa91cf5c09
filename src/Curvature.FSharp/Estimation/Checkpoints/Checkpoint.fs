namespace Curvature.FSharp

open System
open Curvature

/// Runs that can be interrupted, and continued later with the same bits.
[<RequireQualifiedAccess>]
module Checkpoint =

    /// The operator, with its answers in a log.
    let private logged (log: AnswerLog) (a: LinearOperator) : LinearOperator =
        let d = a.Definition

        let answering single block rows (products: Products) : Products =
            {
                Matvec = fun v -> log.Answer(single, products.Matvec, v, [| rows |])
                Matmat = fun v -> log.Answer(block, products.Matmat, v, [| v.Signature.Shape[0]; rows |])
            }

        let forms (f: Tensor -> Tensor) (v: Tensor) = log.Answer(Request.Forms, f, v, [| v.Signature.Shape[0] |])

        LinearOperator.Of
            { d with
                Product = answering Request.Product Request.BlockProduct d.Rows d.Product
                Adjoint =
                    d.Adjoint
                    |> ValueOption.map (answering Request.AdjointProduct Request.AdjointBlockProduct d.Columns)
                Forms = d.Forms |> ValueOption.map forms
                BlockForms = ValueNone
            }

    /// Runs a computation on an operator whose products are kept in a file, as they come. Where the file exists, the
    /// computation begins anew, but takes its products from the file as far as they go. If it asks for the same
    /// products, it comes to the same bits as if it had never been interrupted. The file takes the memory of all
    /// products. One more product is taken, to see that the operator is the same. Seconds are counted anew. A run
    /// that was killed, at whatever moment, goes on from the whole products in the file. Raises DataException for a
    /// file that is damaged, cannot be read or written, or holds products of another operator or with other vectors,
    /// such as those of another key.
    let run (path: string) (computation: LinearOperator -> 'T) (operator: LinearOperator) : 'T =
        ArgumentNullException.ThrowIfNull(path, nameof path)
        use log = new AnswerLog(path, operator)
        computation (logged log operator)

    /// Runs an estimator that keeps vectors with the file of its options, if it has one.
    let internal keeping
        (options: RunOptions)
        (operator: LinearOperator)
        (estimate: RunOptions -> LinearOperator -> 'T)
        : 'T =
        match options.Checkpoint with
        | null -> estimate options operator
        | path -> run path (estimate options.WithoutCheckpoint) operator
