namespace Curvature.FSharp

open Curvature

/// Tensors for small work in Float64 beside the device of a model.
module internal HostNumbers =

    let wide (t: Tensor) : Tensor = Tensor.convert DType.Float64 t |> Tensor.toDevice Kernels.CpuDevice.Shared

/// A semidefinite matrix G [n; n], and what is known of G + λI for every λ above 0. Whatever can say this of itself can
/// be the precision of a posterior: a new structure is one more function of the module. All is in Float64.
[<NoEquality; NoComparison>]
type internal DampedCurvature =
    {
        Name: string
        Size: int
        /// ln det(G + λI)
        LogDeterminant: float -> float
        /// tr (G + λI)⁻¹
        InverseTrace: float -> float
        /// (G + λI)⁻¹ times the rows of a block [k; n].
        Inverse: float -> Tensor -> Tensor
        /// B with BBᵀ = (G + λI)⁻¹ times the rows of a block, which makes samples of standard normal vectors.
        InverseRoot: float -> Tensor -> Tensor
        /// The diagonal of (G + λI)⁻¹, [n].
        InverseDiagonal: float -> Tensor
    }

module internal DampedCurvature =

    /// From all n eigenvalues, functions f(G) of rows, and diagonals of f(G).
    let private ofSpectrum name (values: float[]) (rows: (float -> float) -> Tensor -> Tensor) diagonal =
        // Rounding makes eigenvalues that are 0 negative.
        let values = values |> Array.map (max 0.0)
        let inverse lambda mu = 1.0 / (max 0.0 mu + lambda)

        {
            Name = name
            Size = values.Length
            LogDeterminant = fun lambda -> values |> Array.sumBy (fun mu -> log (mu + lambda))
            InverseTrace = fun lambda -> values |> Array.sumBy (inverse lambda)
            Inverse = fun lambda -> rows (inverse lambda)
            InverseRoot = fun lambda -> rows (inverse lambda >> sqrt)
            InverseDiagonal = fun lambda -> diagonal (inverse lambda)
        }

    let private vector (values: float[]) = Tensor.ofArray [ values.Length ] values

    /// Of a diagonal [n].
    let ofDiagonal (diagonal: Tensor) : DampedCurvature =
        let values = (Tensor.convert DType.Float64 diagonal).ToArray()
        let apply f = vector (Array.map f values)
        ofSpectrum "diagonal" values (fun f block -> apply f * block) apply

    /// Of a matrix, by its eigenvectors: O(n³) operations.
    let ofMatrix (matrix: Tensor) : DampedCurvature =
        let values, vectors = Tensor.eigh (HostNumbers.wide matrix)
        let values = values.ToArray()
        let weights f = vector (Array.map f values)
        let rows f block = Tensor.einsum "kr,nr->kn" (weights f * Tensor.matmul block vectors) vectors
        ofSpectrum "full" values rows (fun f -> Tensor.matmul (Tensor.square vectors) (weights f))

    /// Of its largest eigenvalues [r], and orthonormal eigenvectors [r; n] with r below n. The others count as 0.
    let ofPairs (eigenvalues: float[]) (eigenvectors: Tensor) : DampedCurvature =
        let rank, n = eigenvalues.Length, eigenvectors.Signature.Shape[1]
        let vectors = HostNumbers.wide eigenvectors
        let values = Array.append eigenvalues (Array.zeroCreate (n - rank))
        let weights f = vector (Array.map f eigenvalues)

        let rows f (block: Tensor) =
            let parts = Tensor.einsum "kn,rn->kr" block vectors
            f 0.0 * (block - Tensor.matmul parts vectors) + Tensor.matmul (weights f * parts) vectors

        let diagonal f =
            let squares = Tensor.square vectors
            let inside = Tensor.matmul (Tensor.ones DType.Float64 [ rank ]) squares
            f 0.0 * (1.0 - inside) + Tensor.matmul (weights f) squares

        ofSpectrum $"rank {rank}" values rows diagonal

    /// Of so many times a K-FAC or EK-FAC approximation: closed forms, block by block.
    let ofKronecker (times: float) (approximation: KroneckerOperator) : DampedCurvature =
        let wide = approximation.Wide
        let ofFunction f = wide.Function(wide.Name, fun value -> f (times * value))
        let values = wide.Values |> Array.map (fun value -> times * value)
        ofSpectrum wide.Name values (fun f -> (ofFunction f).Apply) (fun f -> (ofFunction f).Diagonal)
