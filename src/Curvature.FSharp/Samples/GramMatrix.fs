namespace Curvature

open System.Diagnostics
open Curvature.FSharp

/// Products of rows that belong to samples and outputs with each other.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type GramMatrix internal (name: string, matrix: Tensor, samples: int) =
    /// The matrix, Float64 [N·C; N·C]; row i·C + c belongs to output c of sample i.
    member _.Matrix = matrix

    /// The number N of samples.
    member _.Samples = samples

    /// The number C of outputs of a sample.
    member _.Outputs = matrix.Signature.Shape[0] / samples

    override this.ToString() =
        let samples, outputs = Describe.count samples "sample", Describe.count this.Outputs "output"
        $"{name} of {samples} and {outputs} each"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open Curvature

/// Matrices of samples against samples, from the Jacobians of the outputs. Where there are fewer samples than
/// parameters, they are small, and have the eigenvalues of the large ones (Dangel, Tatzel & Hennig 2022, "ViViT"). Row
/// i·C + c belongs to output c of sample i. Terms without data are left out. Each sample costs C backward passes; where
/// all Jacobians do not fit into the memory of the options, they are made again for each part of the rows. Errors are
/// those of `SampleGradients`; ArgumentRangeException is raised for more entries than LinearOperator.denseLimit.
[<RequireQualifiedAccess>]
module GramMatrix =

    let private name = "GramMatrix"

    /// Jacobians as rows, [k·C; n].
    let private rows (block: SampleJacobians) : Tensor =
        let shape = block.Jacobians.Signature.Shape
        Tensor.reshape [ shape[0] * shape[1]; shape[2] ] block.Jacobians

    /// SᵀJ with SSᵀ = H, as rows [k·C; n]. Raises OperatorException where H is not semidefinite.
    let private weightedRows (block: SampleJacobians) : Tensor =
        let values, vectors = Tensor.eigh block.Curvatures
        let all = values.ToArray()
        let least, most = Array.min all, Array.max all

        if least < -1e3 * SmallMatrices.epsilon block.Curvatures.DType * max most -least then
            Fail.operator (
                $"{name}: the criterion is not convex in the outputs of a sample, where its Hessian has the eigenvalue "
                + $"{Numbers.show least}: the Gauss-Newton matrix is no product of rows with themselves"
            )

        let roots = Tensor.unsqueeze 2 (Tensor.sqrt (Tensor.maximum values 0.0))
        let weighted = roots * Tensor.einsum "kdc,kdn->kcn" vectors block.Jacobians
        rows { block with Jacobians = weighted }

    /// Blocks of rows, each with the number of its first row.
    let private numbered (blocks: Tensor seq) : struct (int * Tensor) seq =
        seq {
            let mutable first = 0

            for block in blocks do
                struct (first, block)
                first <- first + Rows.count block
        }

    /// Consecutive blocks, joined while they have at most so many rows.
    let private joined (most: int64) (blocks: Tensor seq) : Tensor seq =
        seq {
            let waiting = ResizeArray<Tensor>()
            let mutable count = 0L

            for block in blocks do
                if count > 0L && count + int64 (Rows.count block) > most then
                    Tensor.concat 0 (List.ofSeq waiting)
                    waiting.Clear()
                    count <- 0L

                waiting.Add block
                count <- count + int64 (Rows.count block)

            if count > 0L then Tensor.concat 0 (List.ofSeq waiting)
        }

    /// The products of all rows with each other, on the diagonal and to the left of it. Rows that come before a part
    /// are made again for it.
    let private products (options: SampleOptions) (theta: Tensor) (blocks: unit -> Tensor seq) : float[,] =
        let most = int64 (options.BlockSize(2L * int64 theta.Size, theta.DType))

        let parts =
            [
                for struct (first, part) in numbered (joined most (blocks ())) do
                    SamplePass.checkEntries name (first + Rows.count part) (first + Rows.count part)
                    let isBefore (struct (column, _)) = column < first

                    if first > 0 then
                        for struct (column, block) in numbered (blocks ()) |> Seq.takeWhile isBefore do
                            struct (first, column, Rows.products part block)

                    struct (first, first, Rows.products part part)
            ]

        let struct (last, _, corner) = List.last parts
        let size = last + corner.RowCount
        let all = Array2D.zeroCreate size size

        for struct (row, column, part) in parts do
            for i in 0 .. part.RowCount - 1 do
                for j in 0 .. part.ColumnCount - 1 do
                    all[row + i, column + j] <- part[i, j]
                    all[column + j, row + i] <- part[i, j]

        all

    /// The Gram matrix with a weight that depends on the number of samples.
    let private make what options theta (jacobians: unit -> SampleJacobians seq) rowsOf weight : GramMatrix =
        let outputs = ref 1

        let blocks () =
            jacobians ()
            |> Seq.map (fun block ->
                outputs.Value <- block.Outputs.Signature.Shape[1]
                rowsOf block)

        let found = products options theta blocks
        let size = found.GetLength 0
        let samples = size / outputs.Value
        GramMatrix(what, weight samples * Tensor.ofArray [ size; size ] (Seq.toArray (Seq.cast<float> found)), samples)

    /// The neural tangent kernel JJᵀ of a risk's model at θ, with the Jacobian J [N·C; n] of all outputs (Jacot,
    /// Gabriel & Hongler 2018). Raises OperatorException for a risk without a model.
    let tangentKernel (options: SampleOptions) (risk: EmpiricalRisk) (theta: Tensor) : GramMatrix =
        let jacobians () = SampleJacobian.ofModel name options risk theta
        make "neural tangent kernel" options theta jacobians rows (fun _ -> 1.0)

    /// VVᵀ for the Gauss–Newton matrix VᵀV of a risk at θ: its eigenvalues, and zeros, are those of
    /// `GaussNewton.ofRisk` without a term. V has the rows SᵢᵀJᵢ with SᵢSᵢᵀ = Hᵢ, the Hessian of the loss of sample i
    /// by its outputs, over √N for a mean. Raises OperatorException for a risk without a model, and for a criterion
    /// that is not convex in the outputs.
    let gaussNewton (options: SampleOptions) (risk: EmpiricalRisk) (theta: Tensor) : GramMatrix =
        let jacobians () = SampleJacobian.ofRisk name options risk theta
        let weight samples = 1.0 / RiskPass.divisor risk.Definition samples
        make "Gauss-Newton Gram matrix" options theta jacobians weightedRows weight

    /// The same for the Fisher matrix of a risk's model under a likelihood, a mean over samples whatever the reduction:
    /// the eigenvalues are those of `Fisher.ofRisk` with `FisherKind.exact`, without a term.
    let fisher (options: SampleOptions) (likelihood: Likelihood) (risk: EmpiricalRisk) (theta: Tensor) : GramMatrix =
        let jacobians () = SampleJacobian.ofLikelihood name options likelihood risk theta
        make "Fisher Gram matrix" options theta jacobians weightedRows (fun samples -> 1.0 / float samples)

    /// The eigenvalues, from the largest on, [N·C]. Beside zeros up to rounding they are all eigenvalues of the large
    /// matrix that are not 0.
    let eigenvalues (gram: GramMatrix) : float[] =
        let size, values = gram.Matrix.Signature.Shape[0], gram.Matrix.ToArray()
        Array.rev (SmallEigen.of' (Array2D.init size size (fun i j -> values[i * size + j]))).Values
