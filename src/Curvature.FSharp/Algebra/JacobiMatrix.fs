namespace Curvature.FSharp

open System
open System.Collections.Concurrent

/// The tridiagonal matrix of Lanczos' recurrence after k steps: diagonal α, and couplings β of which the last leads
/// out of the Krylov space and is 0 where that is invariant. Its eigenvalues are the nodes of Gauss's rule for the
/// spectral measure of the start vector, and the squares of the first components of its eigenvectors are the weights
/// (Golub & Welsch 1969).
[<Sealed; NoEquality; NoComparison>]
type internal JacobiMatrix(alpha: float[], beta: float[]) =

    static let epsilon = Math.Pow(2.0, -52.0)

    /// Implicit QL steps on the diagonal d and the couplings e, with the first row z of the eigenvectors: 30 k²
    /// operations.
    static let eigen (d: float[]) (e: float[]) =
        let k = d.Length
        let z = Array.init k (fun i -> if i = 0 then 1.0 else 0.0)

        /// The first coupling from l on that is 0 beside its neighbours.
        let rec split l =
            if l = k - 1 || abs e[l] <= epsilon * (abs d[l] + abs d[l + 1]) then
                l
            else
                split (l + 1)

        /// One step with Wilkinson's shift on rows l to m. A rotation of length 0 ends it early.
        let step l m =
            let ratio = (d[l + 1] - d[l]) / (2.0 * e[l])
            let mutable g = d[m] - d[l] + e[l] / (ratio + Math.CopySign(sqrt (ratio * ratio + 1.0), ratio))
            let mutable s, c, p, i = 1.0, 1.0, 0.0, m - 1

            while i >= l do
                let f, b = s * e[i], c * e[i]
                let r = sqrt (f * f + g * g)
                e[i + 1] <- r

                if r = 0.0 then
                    d[i + 1] <- d[i + 1] - p
                    e[m] <- 0.0
                    i <- -1
                else
                    s <- f / r
                    c <- g / r
                    g <- d[i + 1] - p
                    let turned = (d[i] - g) * s + 2.0 * c * b
                    p <- s * turned
                    d[i + 1] <- g + p
                    g <- c * turned - b
                    let below = z[i + 1]
                    z[i + 1] <- s * z[i] + c * below
                    z[i] <- c * z[i] - s * below
                    i <- i - 1

                    if i < l then
                        d[l] <- d[l] - p
                        e[l] <- g
                        e[m] <- 0.0
                        i <- -1

        for l in 0 .. k - 1 do
            let mutable m, rounds = split l, 0

            // Two or three steps find an eigenvalue; 60 only where numbers are not finite.
            while m > l && rounds < 60 do
                step l m
                rounds <- rounds + 1
                m <- split l

        Array.map2 (fun x (w: float) -> struct (x, w * w)) d z |> Array.sortBy (fun struct (x, _) -> x)

    static let rule (diagonal: float[]) (couplings: float[]) =
        let k = diagonal.Length
        eigen (Array.copy diagonal) (Array.init k (fun i -> if i < k - 1 then couplings[i] else 0.0))

    let size = alpha.Length

    /// Rules of fewer steps are kept, since every function needs them again.
    let shorter = ConcurrentDictionary<int, struct (float * float)[]>()

    let residuals =
        lazy
            (let couplings = Array.append (Array.rev (Array.take (size - 1) beta)) [| 0.0 |]

             rule (Array.rev alpha) couplings
             |> Array.map (fun struct (x, w) -> struct (x, abs beta[size - 1] * sqrt w)))

    /// How many steps there were.
    member _.Size = size

    /// The same after fewer steps.
    member _.Leading(steps: int) = JacobiMatrix(Array.take steps alpha, Array.take steps beta)

    /// Whether the Krylov space is invariant.
    member _.IsInvariant = (beta[size - 1] = 0.0)

    /// Nodes and weights of Gauss's rule of the first steps, by ascending nodes.
    member _.Gauss(steps: int) : struct (float * float)[] =
        shorter.GetOrAdd(steps, (fun k -> rule (Array.take k alpha) beta))

    /// Gauss–Radau's rule: one more node, at the end that is given, which lies outside of the other nodes (Golub
    /// 1973, "Some modified matrix eigenvalue problems", section 7).
    member _.Radau(last: float) : struct (float * float)[] =
        let mutable pivot = alpha[0] - last

        for i in 1 .. size - 1 do
            pivot <- alpha[i] - last - beta[i - 1] * beta[i - 1] / pivot

        let corner = last + beta[size - 1] * beta[size - 1] / pivot
        rule (Array.append alpha [| corner |]) beta

    /// Ritz values, ascending, and the length ‖Ay − θy‖ of the residual of each: the last coupling times the last
    /// component of the eigenvector.
    member _.Residuals: struct (float * float)[] = residuals.Value
